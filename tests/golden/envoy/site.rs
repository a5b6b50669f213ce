//! A case's listeners and clusters, as `switchyard bootstrap` makes them from the case's own manifests.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};
use switchyard::envoy::{Callers, Configuration, Manifests, Settings};
use switchyard::finding::Finding;

use super::echo::Echo;
use super::{CASE_ID, OPERATOR};
use crate::case::Case;
use crate::support::ports::Port;
use crate::support::switchyard::wasm;
use crate::upstreams::workload;

/// A case, and where it is served.
pub struct Site<'c> {
    pub case: &'c Case,
    /// Where Envoy listens, by the port that a listener stands for.
    pub addresses: BTreeMap<u16, SocketAddr>,
    bootstrap: Value,
    _held: Vec<Port>,
}

impl<'c> Site<'c> {
    /// Makes it, with every endpoint moved to where its workload listens.
    pub fn new(case: &'c Case, native_mirrors: bool, echo: &mut Echo) -> Result<Site<'c>, Vec<Finding>> {
        let held: Vec<Port> = case.listeners.keys().map(|_| Port::reserve()).collect();
        let addresses: BTreeMap<u16, SocketAddr> = case
            .listeners
            .keys()
            .copied()
            .zip(held.iter().map(Port::address))
            .collect();
        let callers = callers(case, native_mirrors, &addresses);
        let mut objects = case.resources.clone();
        objects.iter_mut().for_each(|object| moved(object, echo));
        let (manifests, findings) = Manifests::new(objects, &callers);
        assert!(findings.is_empty(), "{}: {findings:?}", case.name);
        let settings = Settings {
            wasm: Some(wasm()),
            ..Settings::default()
        };
        let mut bootstrap = Configuration::new(&manifests, &callers, &settings)?.bootstrap();
        for listener in listeners(&mut bootstrap) {
            operated(listener, case.proxy.is_gateway);
        }
        Ok(Site {
            case,
            addresses,
            bootstrap,
            _held: held,
        })
    }

    /// All of the clusters, as text.
    pub fn clusters(&self) -> String {
        self.bootstrap["static_resources"]["clusters"].to_string()
    }
}

/// One Envoy for sites whose clusters are the same; it logs to a file.
pub fn bootstrap<'a, 'c: 'a>(mut sites: impl Iterator<Item = &'a Site<'c>>, log: &Path) -> Value {
    let mut all = sites.next().unwrap().bootstrap.clone();
    for site in sites {
        let more = listeners(&mut site.bootstrap.clone()).clone();
        listeners(&mut all).extend(more);
    }
    for listener in listeners(&mut all) {
        access_log(listener)["path"] = log.to_str().unwrap().into();
    }
    all
}

fn listeners(bootstrap: &mut Value) -> &mut Vec<Value> {
    bootstrap["static_resources"]["listeners"].as_array_mut().unwrap()
}

/// The case's proxy, which listens where `addresses` say.
fn callers(case: &Case, native_mirrors: bool, addresses: &BTreeMap<u16, SocketAddr>) -> Callers {
    let ports = addresses.iter();
    let ports = ports.map(|(number, address)| json!({"number": number, "listen": address.port()}));
    let caller = json!({
        "name": case.name,
        "namespace": case.proxy.namespace,
        "labels": case.proxy.labels,
        "gateway": case.proxy.is_gateway,
        "ports": ports.collect::<Vec<_>>(),
    });
    let options = json!({"nativeMirrors": native_mirrors});
    let callers = json!({"admin": "127.0.0.1:0", "access_log": "set later", "options": options, "callers": [caller]});
    let (callers, findings) = Callers::from_json(callers.to_string().as_bytes());
    assert!(findings.is_empty(), "{}: {findings:?}", case.name);
    callers
}

/// As for the goldens: the workloads are all on this machine, and of their policies clusters have the load balancing alone.
fn moved(object: &mut Value, echo: &mut Echo) {
    if object["kind"] == "DestinationRule" {
        balanced(&mut object["spec"]);
    }
    if object["kind"] != "ServiceEntry" {
        return;
    }
    let service = object.clone();
    let endpoints = object["spec"]["endpoints"].as_array_mut().into_iter().flatten();
    for endpoint in endpoints {
        let own = endpoint.clone();
        endpoint["address"] = "127.0.0.1".into();
        for port in service["spec"]["ports"].as_array().unwrap() {
            let number = u16::try_from(port["number"].as_u64().unwrap()).unwrap();
            let address = echo.address(&workload(&service, &own, number));
            endpoint["ports"][port["name"].as_str().unwrap()] = address.port().into();
        }
    }
}

fn balanced(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !["connectionPool", "outlierDetection", "tls"].contains(&name.as_str()));
            fields.values_mut().for_each(balanced);
            // A policy that says nothing is an error.
            fields.retain(|name, value| match name.as_str() {
                "trafficPolicy" => *value != json!({}),
                "portLevelSettings" => *value != json!([]),
                _ => true,
            });
        }
        Value::Array(values) => {
            values.iter_mut().for_each(balanced);
            values.retain(|value| value.as_object().is_none_or(|fields| fields.keys().ne(["port"])));
        }
        _ => {}
    }
}

/// What an operator has: a line of the log can be found by its request, and at a sidecar there are routes for what is not ours.
fn operated(listener: &mut Value, is_gateway: bool) {
    access_log(listener)["log_format"]["json_format"]["id"] = format!("%REQ({CASE_ID})%").into();
    if is_gateway {
        return;
    }
    let hosts = manager(listener)["route_config"]["virtual_hosts"]
        .as_array_mut()
        .unwrap();
    let everything = hosts.iter_mut().find(|host| host["domains"][0] == "*").unwrap();
    let route = json!({"name": OPERATOR, "match": {"prefix": "/"}, "direct_response": {"status": 200}});
    everything["routes"].as_array_mut().unwrap().push(route);
}

fn access_log(listener: &mut Value) -> &mut Value {
    &mut manager(listener)["access_log"][0]["typed_config"]
}

fn manager(listener: &mut Value) -> &mut Value {
    &mut listener["filter_chains"][0]["filters"][0]["typed_config"]
}
