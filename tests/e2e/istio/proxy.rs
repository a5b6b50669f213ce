//! A proxy of a mesh, by what istiod sends it.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::envoy::Envoy;
use crate::support::manifest::yaml;
use crate::support::ports::Port;
use crate::support::switchyard::wasm;
use crate::support::upstream::{Behaviour, Received, Upstream};

pub const REVIEWS: &str = "outbound|9080||reviews.default.svc.cluster.local";
pub const REVIEWS_V1: &str = "outbound|9080|v1|reviews.default.svc.cluster.local";
pub const REVIEWS_V2: &str = "outbound|9080|v2|reviews.default.svc.cluster.local";
pub const RATINGS: &str = "outbound|9080||ratings.default.svc.cluster.local";
pub const OF_PROD: &str = "outbound|9080||reviews.prod.svc.cluster.local";
pub const CATALOG_V1: &str = "outbound|80|v1|catalog.default.svc.cluster.local";
pub const CATALOG_V2: &str = "outbound|80|v2|catalog.default.svc.cluster.local";
pub const WEB: &str = "outbound|80||web.default.svc.cluster.local";
pub const ELSEWHERE: &str = "PassthroughCluster";
const CLUSTERS: [&str; 9] = [
    REVIEWS, REVIEWS_V1, REVIEWS_V2, RATINGS, OF_PROD, CATALOG_V1, CATALOG_V2, WEB, ELSEWHERE,
];
/// Of what istiod sends, a part.
pub fn sent(file: &str) -> Value {
    read(&format!("testdata/istio/{file}"))[0].clone()
}

pub fn shipped(file: &str) -> Vec<Value> {
    documents(&format!("envoy/istio/{file}"))
}

fn read(path: &str) -> Value {
    serde_json::from_str(&text(path)).unwrap()
}

pub fn documents(path: &str) -> Vec<Value> {
    text(path).split("\n---\n").map(yaml).collect()
}

fn text(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Routes as istiod has them without us.
pub fn without_us(mut routes: Value) -> Value {
    routes.as_object_mut().unwrap().remove("internal_only_headers");
    for host in routes["virtual_hosts"].as_array_mut().unwrap() {
        let routes = host["routes"].as_array_mut().unwrap();
        routes.retain(|route| route["name"] != "switchyard");
    }
    routes
}

/// Routes with an EnvoyFilter's patches, as istiod applies them.
pub fn patched(mut routes: Value, filter: &Value) -> Value {
    assert_eq!(filter["kind"], "EnvoyFilter");
    for patch in filter["spec"]["configPatches"].as_array().unwrap() {
        let (operation, value) = (&patch["patch"]["operation"], &patch["patch"]["value"]);
        match (patch["applyTo"].as_str().unwrap(), operation.as_str().unwrap()) {
            ("ROUTE_CONFIGURATION", "MERGE") => {
                let fields = value.as_object().unwrap().clone();
                routes.as_object_mut().unwrap().extend(fields);
            }
            ("HTTP_ROUTE", "INSERT_FIRST") => {
                for host in routes["virtual_hosts"].as_array_mut().unwrap() {
                    host["routes"].as_array_mut().unwrap().insert(0, value.clone());
                }
            }
            other => panic!("{other:?}"),
        }
    }
    routes
}

/// The filter's configuration by ECDS, with another `pluginConfig` in the place of the one it was sent with.
pub fn extension(plugin: Option<&Value>) -> Value {
    let mut extension = sent("ecds.json");
    let config = &mut extension["typed_config"]["config"];
    config["vm_config"]["code"]["local"]["filename"] = wasm().to_str().into();
    if let Some(plugin) = plugin {
        config["configuration"]["value"] = plugin.to_string().into();
    }
    extension
}

/// A proxy of the mesh: one Envoy, and an upstream for each cluster that istiod would send.
pub struct Proxy {
    pub upstreams: BTreeMap<&'static str, Upstream>,
    listeners: Vec<Value>,
    ports: Vec<Port>,
    directory: TempDir,
}

impl Proxy {
    pub async fn new() -> Self {
        let mut upstreams = BTreeMap::new();
        for cluster in CLUSTERS {
            let body = cluster.into();
            let upstream = Upstream::start(Behaviour {
                body,
                ..Behaviour::default()
            });
            upstreams.insert(cluster, upstream.await);
        }
        Self {
            upstreams,
            listeners: Vec::new(),
            ports: Vec::new(),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    /// Adds istiod's listener with these routes, and with the filter or without.
    pub fn listen(&mut self, routes: &Value, extension: Option<&Value>) -> SocketAddr {
        // A client's connection keeps the port it asked for when a sidecar takes it over.
        let port = Port::numbered(9080);
        let number = self.listeners.len();
        let mut listener = sent("listeners.json");
        listener["name"] = format!("istio {number}").into();
        listener["address"]["socket_address"] = json!({"address": port.address().ip(), "port_value": 9080});
        listener["bind_to_port"] = true.into();
        let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        manager["stat_prefix"] = format!("istio_{number}").into();
        manager["rds"]["route_config_name"] = routes["name"].clone();
        manager["rds"]["config_source"] = self.file(number, "envoy.config.route.v3.RouteConfiguration", routes);
        let filters = manager["http_filters"].as_array_mut().unwrap();
        filters.retain(|filter| !filter["name"].as_str().unwrap().starts_with("istio."));
        match extension {
            Some(extension) => {
                filters[0]["config_discovery"]["config_source"] =
                    self.file(number, "envoy.config.core.v3.TypedExtensionConfig", extension);
            }
            None => drop(filters.remove(0)),
        }
        self.listeners.push(listener);
        let address = port.address();
        self.ports.push(port);
        address
    }

    /// A file in the place of istiod's stream.
    fn file(&self, number: usize, kind: &str, resource: &Value) -> Value {
        let mut resource = resource.clone();
        resource["@type"] = format!("type.googleapis.com/{kind}").into();
        let path = self.directory.path().join(format!("{kind}.{number}.json"));
        fs::write(&path, json!({"version_info": "1", "resources": [resource]}).to_string()).unwrap();
        json!({"path_config_source": {"path": path}, "initial_fetch_timeout": "0s", "resource_api_version": "V3"})
    }

    pub async fn start(&self) -> Envoy {
        let clusters = self.upstreams.iter().map(|(name, upstream)| {
            let address = json!({"address": "127.0.0.1", "port_value": upstream.address.port()});
            let endpoint = json!({"endpoint": {"address": {"socket_address": address}}});
            let endpoints = json!({"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]});
            json!({"name": name, "connect_timeout": "10s", "load_assignment": endpoints})
        });
        let bootstrap = json!({
            "node": {"id": "sidecar~127.0.0.1~web.default~default.svc.cluster.local", "cluster": "web.default"},
            "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
            "static_resources": {"clusters": clusters.collect::<Vec<_>>(), "listeners": self.listeners},
        });
        Envoy::start(&bootstrap, self.directory.path()).await
    }

    /// What the upstreams got since it was last asked, by cluster.
    pub fn received(&self) -> Vec<(&'static str, Received)> {
        let mut all = Vec::new();
        for (cluster, upstream) in &self.upstreams {
            all.extend(upstream.received().into_iter().map(|received| (*cluster, received)));
            upstream.forget();
        }
        all
    }
}
