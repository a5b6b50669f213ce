use serde_json::{Value, json};

use super::*;

mod destination_rules;
mod destinations;
mod gateways;
mod http_rules;
mod service_entries;
mod unreachable;
mod virtual_services;

/// What is said of an object: the severity's first letter, the code and the path of each finding.
fn said(kind: &str, spec: Value) -> Vec<String> {
    let resource = json!({
        "apiVersion": "networking.istio.io/v1", "kind": kind, "metadata": {"name": "it", "namespace": "prod"}, "spec": spec,
    });
    let (config, misread) = Config::from_json(json!({"resources": [resource]}).to_string().as_bytes());
    assert_eq!(misread, [], "the test's own object does not fit its type");
    let brief = |finding: &Finding| {
        assert_eq!(finding.object.to_string(), format!("{kind} prod/it"));
        format!("{:.1} {} {}", finding.severity.to_string(), finding.code, finding.path)
    };
    validate(&config).iter().map(brief).collect()
}

/// Checks specs made of fragments: each with the paths of the errors it has, with blanks between them.
fn errors(kind: &str, whole: impl Fn(Value) -> Value, cases: &[(Value, &str)]) {
    for (fragment, paths) in cases {
        let expected: Vec<String> = paths
            .split_whitespace()
            .map(|path| format!("E IST0106 {path}"))
            .collect();
        assert_eq!(said(kind, whole(fragment.clone())), expected, "{fragment}");
    }
}

#[test]
fn the_plugins_own_fields_have_limits_too() {
    let json = json!({
        "proxy": {"namespace": "a b", "domain": "-", "port": 70000, "gateways": ["mesh", "istio-system/gw", "a b"]},
        "options": {"maxActiveFaults": -1, "explainHeader": "X-Switchyard-Cluster"},
    });
    let (config, misread) = Config::from_json(json.to_string().as_bytes());
    assert_eq!(misread, []);
    let findings = validate(&config);
    let paths: Vec<&str> = findings.iter().map(|finding| finding.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "proxy.namespace",
            "proxy.domain",
            "proxy.gateways[2]",
            "proxy.port",
            "options.maxActiveFaults",
            "options.explainHeader",
        ]
    );
    assert!(findings.iter().all(|finding| finding.resource.is_none()));
    assert_eq!(validate(&Config::default()), []);
}

#[test]
fn native_mirrors_need_routes_that_are_ours() {
    let paths = |proxy: Value| {
        let json = json!({"proxy": proxy, "options": {"nativeMirrors": true}});
        let (config, _) = Config::from_json(json.to_string().as_bytes());
        let findings = validate(&config).into_iter().map(|finding| finding.path);
        findings.collect::<Vec<_>>()
    };
    assert_eq!(paths(json!({})), ["options.nativeMirrors"]);
    assert_eq!(paths(json!({"port": 80})), [""; 0]);
}

#[test]
fn annotations_that_istio_keeps_to_itself_are_refused() {
    let json = json!({"resources": [{
        "apiVersion": "networking.istio.io/v1", "kind": "DestinationRule",
        "metadata": {"name": "it", "annotations": {"internal.istio.io/parents": "x", "note": "y"}}, "spec": {"host": "a"},
    }]});
    let (config, _) = Config::from_json(json.to_string().as_bytes());
    let paths: Vec<String> = validate(&config).into_iter().map(|finding| finding.path).collect();
    assert_eq!(paths, ["metadata.annotations.internal.istio.io/parents"]);
}

#[test]
fn of_what_could_not_be_read_nothing_more_is_said() {
    let json = json!({"resources": [{
        "apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", "metadata": {"name": "it"},
        "spec": {"host": 7, "trafficPolicy": {"connectionPool": {"tcp": {"connectTimeout": 5, "maxConnections": -1}}}},
    }]});
    let (config, misread) = Config::from_json(json.to_string().as_bytes());
    let paths = |findings: Vec<Finding>| findings.into_iter().map(|finding| finding.path).collect::<Vec<_>>();
    assert_eq!(
        paths(misread),
        ["host", "trafficPolicy.connectionPool.tcp.connectTimeout"]
    );
    assert_eq!(
        paths(validate(&config)),
        ["trafficPolicy.connectionPool.tcp.maxConnections"]
    );
}
