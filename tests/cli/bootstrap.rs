use std::fs;

use serde_json::Value;

use super::{directory, switchyard};

const SERVICES: &str = "\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: reviews}
spec:
  hosts: [reviews.default.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 9080, name: http, protocol: HTTP}]
  endpoints:
  - {address: 127.0.0.1, ports: {http: 19001}, labels: {version: v1}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews}
spec:
  host: reviews
  subsets:
  - {name: v1, labels: {version: v1}}
";
const CALLERS: &str = "callers:\n- name: web\n  ports: [{number: 9080, listen: 15001}]\n";

#[test]
fn everything_that_envoy_needs_comes_out() {
    let directory = directory(&[("m.yaml", SERVICES), ("callers.yaml", CALLERS)]);
    let args = "bootstrap -f m.yaml --callers callers.yaml --wasm /etc/switchyard.wasm --admin 127.0.0.1:1234";
    let outcome = switchyard(directory.path(), &args.split(' ').collect::<Vec<_>>(), "");
    assert_eq!((outcome.status, outcome.stderr.as_str()), (0, ""));
    let bootstrap: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let at = |pointer: &str| {
        bootstrap
            .pointer(pointer)
            .unwrap_or_else(|| panic!("{pointer}: {bootstrap}"))
    };
    assert_eq!(at("/admin/address/socket_address/port_value"), 1234);
    assert_eq!(
        at("/static_resources/listeners/0/address/socket_address/port_value"),
        15001
    );
    let clusters = at("/static_resources/clusters").as_array().unwrap();
    let names: Vec<&str> = clusters
        .iter()
        .map(|cluster| cluster["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "outbound|9080|v1|reviews.default.svc.cluster.local",
            "outbound|9080||reviews.default.svc.cluster.local"
        ]
    );
    assert!(outcome.stdout.contains("\"/etc/switchyard.wasm\""));
}

#[test]
fn the_file_is_written_whole() {
    let directory = directory(&[("m.yaml", SERVICES)]);
    let outcome = switchyard(
        directory.path(),
        &["bootstrap", "-f", "m.yaml", "--wasm", "w", "-o", "envoy.json"],
        "",
    );
    assert_eq!(
        (outcome.status, outcome.stdout.as_str(), outcome.stderr.as_str()),
        (0, "", "")
    );
    let written = fs::read(directory.path().join("envoy.json")).unwrap();
    assert!(serde_json::from_slice::<Value>(&written).unwrap().is_object());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
}

#[test]
fn wrong_callers_are_named_by_their_line() {
    let wrong = CALLERS.replace("ports", "port") + "- name: web\n  address: here\n";
    let directory = directory(&[("m.yaml", SERVICES), ("callers.yaml", &wrong)]);
    let args = ["bootstrap", "-f", "m.yaml", "--callers", "callers.yaml", "--wasm", "w"];
    let outcome = switchyard(directory.path(), &args, "");
    assert_eq!((outcome.status, outcome.stdout.as_str()), (1, ""));
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(
        lines[0],
        "callers.yaml:3:3: error: callers[0].port: there is no such field; did you mean `ports`?"
    );
    assert!(
        lines[1].starts_with("callers.yaml:4:3: error: callers[1].name: "),
        "{lines:?}"
    );
    assert!(
        lines[2].starts_with("callers.yaml:5:3: error: callers[1].address: "),
        "{lines:?}"
    );
}

#[test]
fn a_wrong_document_leaves_no_file() {
    let directory = directory(&[("m.yaml", &SERVICES.replace("subsets", "subset"))]);
    let outcome = switchyard(
        directory.path(),
        &["bootstrap", "-f", "m.yaml", "--wasm", "w", "-o", "envoy.json"],
        "",
    );
    assert_eq!(outcome.status, 1);
    assert!(outcome.stderr.contains("did you mean `subsets`?"), "{}", outcome.stderr);
    assert!(!directory.path().join("envoy.json").exists());
}
