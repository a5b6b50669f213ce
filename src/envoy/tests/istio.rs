//! The manifests of `envoy/istio`, held to what the bootstrap has.

use std::fs;

use super::*;
use crate::plugin::Plugin;
use crate::{metric, reserved};

const RETRIES: &str = "\
apiVersion: v1
kind: Service
metadata: {name: a}
spec: {ports: [{name: http, port: 80}], clusterIP: 10.0.0.1}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a}
spec:
  hosts: [a]
  http:
  - match: [{uri: {prefix: /hosts}}]
    retries: {attempts: 1, retryIgnorePreviousHosts: false}
    route: [{destination: {host: a}}]
  - match: [{uri: {prefix: /slowly}}]
    retries: {attempts: 1, backoff: 100ms}
    route: [{destination: {host: a}}]
  - retries: {attempts: 1}
    route: [{destination: {host: a}}]
";

/// The overlay routes of a bootstrap, by name.
fn overlay() -> BTreeMap<String, Value> {
    let configuration = configuration(RETRIES, r#"{"callers": [{"name": "client"}]}"#);
    let bootstrap = configuration.bootstrap().to_string();
    let bootstrap: Value = serde_json::from_str(&bootstrap).unwrap();
    let listener = &bootstrap["static_resources"]["listeners"][0];
    let manager = &listener["filter_chains"][0]["filters"][0]["typed_config"];
    let routes = manager["route_config"]["virtual_hosts"][0]["routes"]
        .as_array()
        .unwrap();
    let ours = routes
        .iter()
        .filter(|route| route["name"].as_str().unwrap().starts_with("switchyard"));
    ours.map(|route| (route["name"].as_str().unwrap().to_owned(), with_numbers(route)))
        .collect()
}

/// Protocol buffers take a number as text too.
fn with_numbers(value: &Value) -> Value {
    match value {
        Value::String(text) => text.parse::<u64>().map_or_else(|_| value.clone(), Value::from),
        Value::Array(values) => values.iter().map(with_numbers).collect(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), with_numbers(value)));
            Value::Object(fields.collect())
        }
        _ => value.clone(),
    }
}

fn shipped(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("envoy/istio").join(file);
    objects(&fs::read_to_string(path).unwrap())
}

fn patches<'a>(filter: &'a Value, kind: &'a str) -> impl Iterator<Item = &'a Value> {
    let patches = filter["spec"]["configPatches"].as_array().unwrap().iter();
    patches.filter(move |patch| patch["applyTo"] == kind)
}

#[test]
fn the_envoy_filters_insert_the_overlay_of_the_bootstrap() {
    let overlay = overlay();
    assert_eq!(
        overlay.keys().collect::<Vec<_>>(),
        [
            "switchyard",
            "switchyard custom",
            "switchyard custom backoff=100ms",
            "switchyard custom same-hosts"
        ]
    );
    for (file, context) in [
        ("envoyfilter.yaml", "SIDECAR_OUTBOUND"),
        ("gateway-envoyfilter.yaml", "GATEWAY"),
    ] {
        let filter = &shipped(file)[0];
        let mut inserted = Vec::new();
        for patch in patches(filter, "HTTP_ROUTE") {
            assert_eq!(patch["match"]["context"], context);
            assert_eq!(patch["patch"]["operation"], "INSERT_FIRST");
            let route = with_numbers(&patch["patch"]["value"]);
            let name = route["name"].as_str().unwrap().to_owned();
            assert_eq!(route, overlay[&name]);
            inserted.push(name);
        }
        // What is inserted last stands first, and the plain route takes whatever comes to it.
        assert_eq!(
            inserted,
            ["switchyard", "switchyard custom", "switchyard custom same-hosts"]
        );
        let merged = patches(filter, "ROUTE_CONFIGURATION").next().unwrap();
        assert_eq!(
            merged["patch"]["value"]["internal_only_headers"],
            serde_json::json!(reserved::ALL)
        );
        assert_eq!(merged["match"]["context"], context);
    }
}

#[test]
fn the_readme_adds_a_back_off_as_the_bootstrap_would() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("envoy/istio/README.md");
    let readme = fs::read_to_string(path).unwrap();
    let yaml = readme.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let patch = objects(yaml).remove(0);
    assert_eq!(
        with_numbers(&patch[0]["patch"]["value"]),
        overlay()["switchyard custom backoff=100ms"]
    );
}

#[test]
fn the_plugins_configurations_load() {
    let sidecar = shipped("wasmplugin.yaml").remove(0);
    let gateway = shipped("gateway-wasmplugin.yaml").remove(0);
    for plugin in [&sidecar, &gateway] {
        assert_eq!(plugin["spec"]["failStrategy"], "FAIL_RELOAD");
        let loaded = Plugin::load(plugin["spec"]["pluginConfig"].to_string().as_bytes()).unwrap();
        assert_eq!(loaded.findings, []);
        assert_eq!(loaded.table.virtual_hosts.len(), 1);
    }
    assert_eq!(
        sidecar["spec"]["pluginConfig"]["resources"],
        Value::Array(shipped("rules.yaml"))
    );
}

#[test]
fn the_stats_tags_are_those_of_the_bootstrap() {
    let filter = shipped("stats-tags.yaml").remove(0);
    let patch = patches(&filter, "BOOTSTRAP").next().unwrap();
    let tags = metric::STATS_TAGS.map(|(name, regex)| serde_json::json!({"tag_name": name, "regex": regex}));
    assert_eq!(
        patch["patch"]["value"]["stats_config"]["stats_tags"],
        Value::from(tags.to_vec())
    );
}
