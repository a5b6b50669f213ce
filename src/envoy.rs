//! Everything that Envoy needs, out of manifests and who calls.
//!
//! ```text
//! Manifests + Callers ──▶ Configuration ── bootstrap() ──▶ one file that Envoy runs
//!                                       └─ snapshot() ──▶ resources for files that Envoy watches
//! ```
//!
//! Clusters and their policies, the overlay routes, listeners and the filter's configuration are what istiod would send a proxy, as far as the
//! filter does not decide itself. The output depends on nothing but the input.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::config::Config;
use crate::finding::Finding;
use crate::registry::{Locality, Registry};
pub use callers::{Caller, CallerPort, Callers, Credential};
use cluster::Cluster;
pub use files::File;
use listeners::Planned;
use message::any;
use transport_socket::Secrets;
pub use xds::{Kind, Resources, Snapshot, path};

mod access_log;
mod bootstrap;
mod callers;
mod circuit_breakers;
mod cluster;
mod deciding;
mod endpoint;
mod files;
mod hash_policy;
mod http_protocol_options;
mod listener;
mod listeners;
mod load_balancer;
mod locality;
mod message;
mod outlier_detection;
mod overlay;
mod retry_policy;
mod route_configuration;
mod services;
mod stats_config;
mod transport_socket;
mod unserved;
mod wasm;
mod xds;

/// The documents that were read.
#[derive(Debug, Clone)]
pub struct Manifests {
    /// Those that may decide over requests, as they were written, lists taken apart.
    objects: Vec<Value>,
    /// What the filter gets of them.
    deciding: Vec<Value>,
    config: Config,
    registry: Registry,
}

/// What else is to be known of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The filter; none makes an Envoy with Istio's default routes alone.
    pub wasm: Option<PathBuf>,
    /// The authorities that the machine trusts.
    pub system_ca: PathBuf,
    /// How many files Envoy may watch; see [`Snapshot::subscriptions`]. Endpoints get files of their own where all of them fit.
    pub max_subscriptions: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            wasm: None,
            system_ca: "/etc/ssl/certs/ca-certificates.crt".into(),
            max_subscriptions: 64,
        }
    }
}

/// All that an Envoy is to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Configuration {
    /// What is to be said of it, nothing of which refuses it.
    pub findings: Vec<Finding>,
    callers: Callers,
    settings: Settings,
    clusters: Vec<Cluster>,
    listeners: Vec<Planned>,
}

impl Manifests {
    /// Takes the objects of all documents, lists taken apart. What does not fit is a finding and is left out; the rest is read.
    pub fn new(mut objects: Vec<Value>, callers: &Callers) -> (Manifests, Vec<Finding>) {
        let json = serde_json::to_vec(&json!({"proxy": {"domain": callers.domain}, "resources": objects}));
        let (config, findings) = Config::from_json(&json.unwrap_or_default());
        let registry = Registry::new(&config);
        objects.retain(deciding::decides);
        let manifests = Manifests {
            deciding: deciding::deciding(&objects, &config),
            objects,
            config,
            registry,
        };
        (manifests, findings)
    }

    /// The names of Kubernetes' secrets.
    fn credential_names(&self) -> impl Iterator<Item = &String> {
        let resources = &self.config.resources;
        let servers = resources.gateways.iter().flat_map(|gateway| &gateway.spec.servers);
        let servers = servers.filter_map(|server| server.tls.as_ref());
        let rules = resources.destination_rules.iter().map(|rule| &rule.spec);
        let policies = rules.flat_map(|rule| {
            let own = rule.subsets.iter().map(|subset| &subset.traffic_policy);
            own.chain([&rule.traffic_policy]).flatten()
        });
        let clients = policies.flat_map(|policy| {
            let ports = policy.port_level_settings.iter().map(|port| &port.tls);
            ports.chain([&policy.tls]).flatten()
        });
        let of_servers = servers.flat_map(|tls| tls.credential_names.iter().chain([&tls.credential_name]));
        of_servers.chain(clients.map(|tls| &tls.credential_name))
    }
}

/// The filter's configuration for a listener, in JSON.
fn plugin(proxy: &Value, callers: &Callers, resources: &[Value]) -> String {
    let mut options = callers.options.clone();
    if callers.access_log.is_empty() {
        options.entry("filterState").or_insert(Value::Bool(false));
    }
    json!({"proxy": proxy, "options": options, "resources": resources}).to_string()
}

/// What Envoy has beside the filter, by name: for those who compare configurations.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Messages {
    /// The clusters with their endpoints.
    pub clusters: BTreeMap<String, Value>,
    /// Where gateways listen, less their routes.
    pub listeners: BTreeMap<String, Value>,
}

impl Messages {
    /// Makes them. What Kubernetes' secrets hold is a file of their name.
    pub fn new(manifests: &Manifests, callers: &Callers) -> Self {
        let named = |name: &String| {
            let credential = Credential {
                certificate: name.clone(),
                private_key: name.clone(),
                ca_certificates: name.clone(),
            };
            (name.clone(), credential)
        };
        let credentials: BTreeMap<String, Credential> = manifests.credential_names().map(named).collect();
        let (_, identity) = named(&"identity".to_owned());
        let secrets = Secrets {
            system_ca: &Settings::default().system_ca,
            identity: Some(&identity),
            credentials: &credentials,
        };
        let all = callers.effective(!manifests.config.resources.gateways.is_empty());
        let gateways: Vec<Caller> = all.iter().filter(|caller| caller.gateway).cloned().collect();
        let locality = Locality::parse(&callers.locality);
        let mut findings = Vec::new();
        let clusters = services::clusters(manifests, &all, &callers.domain, &locality, secrets, &mut findings);
        let listeners = listeners::plan(manifests, callers, &gateways, secrets, &mut findings).unwrap_or_default();
        let listener = |planned: Planned| {
            let listener = planned.listener(("route_config", Value::Null), None, callers).value();
            (planned.name, message::message(listener))
        };
        Messages {
            clusters: clusters
                .into_iter()
                .map(|cluster| (cluster.name.clone(), cluster.inline()))
                .collect(),
            listeners: listeners.into_iter().map(listener).collect(),
        }
    }
}

impl Configuration {
    /// Makes it. What cannot be is refused with everything that is wrong with it.
    pub fn new(manifests: &Manifests, callers: &Callers, settings: &Settings) -> Result<Self, Vec<Finding>> {
        let all = callers.effective(!manifests.config.resources.gateways.is_empty());
        let secrets = Secrets {
            system_ca: &settings.system_ca,
            identity: callers.identity.as_ref(),
            credentials: &callers.credentials,
        };
        let mut findings = unserved::findings(manifests, callers);
        let locality = Locality::parse(&callers.locality);
        let clusters = services::clusters(manifests, &all, &callers.domain, &locality, secrets, &mut findings);
        let listeners = listeners::plan(manifests, callers, &all, secrets, &mut findings)?;
        Ok(Configuration {
            findings,
            callers: callers.clone(),
            settings: settings.clone(),
            clusters,
            listeners,
        })
    }

    /// The filter's configuration for each listener, by the name of its `TypedExtensionConfig`.
    pub fn plugins(&self) -> BTreeMap<&str, &str> {
        let plugins = self.listeners.iter();
        plugins
            .map(|planned| (planned.name.as_str(), planned.plugin.as_str()))
            .collect()
    }

    /// One file with everything in it, for `envoy -c`.
    pub fn bootstrap(&self) -> Value {
        let clusters = self.clusters.iter().cloned().map(Cluster::inline).collect();
        let listener = |planned: &Planned| {
            let filter = self
                .settings
                .wasm
                .as_deref()
                .map(|path| json!({"name": planned.name, "typed_config": wasm::wasm(path, &planned.plugin, planned.callbacks)}));
            let routes = ("route_config", planned.routes.clone());
            planned.listener(routes, filter, &self.callers).value()
        };
        let listeners = self.listeners.iter().map(listener).collect();
        let resources = bootstrap::static_resources(clusters, listeners);
        bootstrap::bootstrap(self.callers.admin_address(), ("static_resources", resources))
    }

    /// What Envoy starts with to read the rest from files below `directory`.
    pub fn dynamic_bootstrap(&self, directory: &Path) -> Value {
        let source = |kind| xds::config_source(directory, kind, "");
        let resources = json!({"cds_config": source(Kind::Clusters), "lds_config": source(Kind::Listeners)});
        bootstrap::bootstrap(self.callers.admin_address(), ("dynamic_resources", resources))
    }

    /// The resources for files below `directory`. Endpoints have files of their own unless Envoy would watch too many.
    pub fn snapshot(&self, directory: &Path) -> Snapshot {
        let mut snapshot = Snapshot::default();
        for planned in &self.listeners {
            let name = planned.name.as_str();
            let filter = self.settings.wasm.as_deref().map(|path| {
                let extension =
                    json!({"name": name, "typed_config": wasm::wasm(path, &planned.plugin, planned.callbacks)});
                snapshot.insert(Kind::Extensions, name, extension);
                json!({"name": name, "config_discovery": {
                    "config_source": xds::config_source(directory, Kind::Extensions, name),
                    "type_urls": [format!("type.googleapis.com/{}", wasm::NAME)],
                }})
            });
            snapshot.insert(Kind::Routes, name, planned.routes.clone());
            let source = xds::config_source(directory, Kind::Routes, name);
            let routes = ("rds", json!({"route_config_name": name, "config_source": source}));
            let listener = planned.listener(routes, filter, &self.callers).value();
            snapshot.insert(Kind::Listeners, name, listener);
        }
        let watched = self.clusters.iter().filter(|cluster| cluster.is_static()).count();
        let apart = snapshot.subscriptions() + watched <= self.settings.max_subscriptions;
        for cluster in self.clusters.iter().cloned() {
            let name = cluster.name.clone();
            if !apart || !cluster.is_static() {
                snapshot.insert(Kind::Clusters, &name, cluster.inline());
                continue;
            }
            if let Some(endpoints) = &cluster.endpoints {
                snapshot.insert(Kind::Endpoints, &name, endpoints.clone());
            }
            let source = xds::config_source(directory, Kind::Endpoints, &name);
            snapshot.insert(Kind::Clusters, &name, cluster.discovered(source));
        }
        snapshot
    }
}

impl Snapshot {
    fn insert(&mut self, kind: Kind, name: &str, value: Value) {
        self.of_mut(kind).insert(name.to_owned(), any(kind.message(), value));
    }
}

#[cfg(test)]
mod tests;
