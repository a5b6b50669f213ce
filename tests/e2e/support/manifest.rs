//! Manifests of services that stand on free ports.

use std::fmt::Display;
use std::net::SocketAddr;

use serde_json::Value;

/// A YAML document as JSON.
pub fn yaml(text: &str) -> Value {
    let document = switchyard::yaml::documents(text).into_iter().next().unwrap();
    serde_json::to_value(document.unwrap()).unwrap()
}

/// A Kubernetes Service of plain HTTP with one EndpointSlice for each version.
pub fn service(name: &str, port: u16, versions: &[(&str, SocketAddr)]) -> String {
    service_of(name, "name: http", port, versions)
}

/// As [`service`], with a port of another name or `appProtocol`: `name: grpc`.
pub fn service_of(name: &str, port_name: &str, port: u16, versions: &[(&str, SocketAddr)]) -> String {
    let mut yaml = format!(
        "\
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec:
  ports: [{{{port_name}, port: {port}}}]
  selector: {{app: {name}}}
"
    );
    for (version, address) in versions {
        yaml += "---\n";
        yaml += &endpoint_slice(name, version, port_name, version, *address);
    }
    yaml
}

/// The EndpointSlice `SERVICE-NAME`: one endpoint of a version, for the service's port.
pub fn endpoint_slice(service: &str, name: &str, port_name: &str, version: &str, address: SocketAddr) -> String {
    format!(
        "\
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: {service}-{name}
  labels: {{kubernetes.io/service-name: {service}}}
addressType: IPv4
ports: [{{{port_name}, port: {}}}]
endpoints: [{{addresses: [\"{}\"], labels: {{app: {service}, version: {version}}}}}]
",
        address.port(),
        address.ip()
    )
}

/// A DestinationRule with a subset for each version.
pub fn subsets(host: &str, versions: &[&str]) -> String {
    let mut yaml = format!(
        "\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: {host}}}
spec:
  host: {host}
  subsets:
"
    );
    for version in versions {
        yaml += &format!("  - {{name: {version}, labels: {{version: {version}}}}}\n");
    }
    yaml
}

/// A VirtualService with these `http` rules, each in YAML's flow style.
pub fn virtual_service(host: &str, rules: &[impl Display]) -> String {
    let mut yaml = format!(
        "\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: {host}}}
spec:
  hosts: [{host}]
  http:
"
    );
    for rule in rules {
        yaml += &format!("  - {rule}\n");
    }
    yaml
}
