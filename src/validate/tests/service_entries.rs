use super::*;

fn entry(mut entry: Value) -> Value {
    if let Some(entry) = entry.as_object_mut() {
        entry.entry("hosts").or_insert(json!(["a.com"]));
        entry
            .entry("ports")
            .or_insert(json!([{"number": 80, "name": "http", "protocol": "HTTP"}]));
    }
    entry
}

#[test]
fn a_service_has_names_and_ports_of_its_own() {
    errors(
        "ServiceEntry",
        entry,
        &[
            (json!({}), ""),
            (json!({"hosts": []}), "hosts"),
            (json!({"hosts": ["*"]}), "hosts[0]"),
            (json!({"hosts": ["a_b"]}), "hosts[0]"),
            (
                json!({"ports": [{"number": 80, "name": "a b"}, {"number": 80, "name": "c", "protocol": "SMTP"}]}),
                "ports[0].name ports[1].number ports[1].protocol",
            ),
            (
                json!({"addresses": ["10.0.0.0/8", "::1", "x", "10.0.0.0/33"]}),
                "addresses[2] addresses[3]",
            ),
            (json!({"exportTo": ["~"]}), ""),
            (json!({"exportTo": ["~", "a"]}), "exportTo"),
        ],
    );
    assert_eq!(
        said("ServiceEntry", entry(json!({"hosts": ["*a.com"]}))),
        ["W IST0133 hosts[0]"]
    );
}

#[test]
fn endpoints_fit_the_resolution() {
    let endpoint = json!({"address": "10.0.0.1", "ports": {"http": 8080}});
    errors(
        "ServiceEntry",
        entry,
        &[
            (json!({"resolution": "STATIC", "endpoints": [endpoint]}), ""),
            (json!({"resolution": "DNS", "endpoints": [{"address": "b.com"}]}), ""),
            (json!({"resolution": "DNS", "hosts": ["*.a.com"]}), "hosts[0]"),
            (
                json!({"resolution": "DNS", "addresses": ["10.0.0.0/8"]}),
                "addresses[0]",
            ),
            (json!({"endpoints": [endpoint]}), "endpoints"),
            (
                json!({"resolution": "STATIC", "endpoints": [{"address": "b.com"}, {}]}),
                "endpoints[0].address endpoints[1].address",
            ),
            (
                json!({"resolution": "STATIC", "endpoints": [{"address": "unix:///s", "ports": {"http": 1}}]}),
                "endpoints[0].address",
            ),
            (
                json!({"resolution": "STATIC", "endpoints": [{"address": "::1", "ports": {"tcp": 0}}]}),
                "endpoints[0].ports.tcp endpoints[0].ports.tcp",
            ),
            (
                json!({"resolution": "DNS_ROUND_ROBIN", "endpoints": [endpoint, endpoint]}),
                "endpoints",
            ),
            (
                json!({"resolution": "STATIC", "endpoints": [endpoint], "workloadSelector": {"labels": {"a": "*"}}}),
                "workloadSelector workloadSelector.labels.a",
            ),
            (json!({"resolution": "GUESS"}), "resolution"),
            (
                json!({"resolution": "STATIC", "hosts": ["a", "b"], "ports": [{"number": 1, "name": "t", "protocol": "TCP"}]}),
                "ports[0]",
            ),
        ],
    );
}
