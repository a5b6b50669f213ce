//! What istiod emits for the same manifests is the judge of clusters; the other shapes are Envoy's own, and Envoy has run them.

use super::*;
use crate::yaml;

mod clusters;
mod goldens;
mod istio;
mod listeners;
mod refusals;
mod routes;

fn objects(text: &str) -> Vec<Value> {
    let documents = yaml::documents(text).into_iter().map(Result::unwrap);
    let values = documents.map(|node| serde_json::to_value(&node).unwrap());
    values.filter(|value| !value.is_null()).collect()
}

fn configuration(text: &str, callers: &str) -> Configuration {
    try_configuration(text, callers).unwrap()
}

fn try_configuration(text: &str, callers: &str) -> Result<Configuration, Vec<Finding>> {
    let (callers, findings) = Callers::from_json(callers.as_bytes());
    assert_eq!(findings, []);
    let (manifests, findings) = Manifests::new(objects(text), &callers);
    assert_eq!(findings, []);
    let settings = Settings {
        wasm: Some("/switchyard.wasm".into()),
        ..Settings::default()
    };
    Configuration::new(&manifests, &callers, &settings)
}

fn by_name(list: &Value) -> BTreeMap<String, Value> {
    let entries = list.as_array().unwrap().iter();
    entries
        .map(|value| (value["name"].as_str().unwrap().to_owned(), value.clone()))
        .collect()
}

fn clusters(configuration: &Configuration) -> BTreeMap<String, Value> {
    by_name(&configuration.bootstrap()["static_resources"]["clusters"])
}

const SERVICES: &str = r#"
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: reviews}
spec:
  hosts: [reviews.default.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 9080, name: http, protocol: HTTP}, {number: 80, name: grpc, protocol: GRPC}, {number: 53, name: dns, protocol: UDP}]
  endpoints:
  - {address: 10.0.0.1, labels: {version: v1}}
  - {address: 10.0.0.2, labels: {version: v2}}
---
"#;

fn listeners(configuration: &Configuration) -> BTreeMap<String, Value> {
    by_name(&configuration.bootstrap()["static_resources"]["listeners"])
}

fn address(listener: &Value) -> String {
    let socket = &listener["address"]["socket_address"];
    format!("{}:{}", socket["address"].as_str().unwrap(), socket["port_value"])
}

fn connection_manager(listener: &Value) -> &Value {
    &listener["filter_chains"][0]["filters"][0]["typed_config"]
}

fn virtual_service(spec: &str) -> String {
    format!("{SERVICES}apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: v}}\nspec: {spec}\n")
}
