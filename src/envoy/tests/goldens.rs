//! istiod's clusters.

use std::fs;

use super::*;

/// What istiod has from somewhere else than the rule and the service, or writes for filters of its own.
const NOT_OF_THE_RULE: [&str; 8] = [
    "type",
    "dns_refresh_rate",
    "dns_jitter",
    "respect_dns_ttl",
    "dns_lookup_family",
    "typed_dns_resolver_config",
    "metadata",
    "filters",
];

fn comparable(cluster: &Value) -> Value {
    let mut cluster = cluster.clone();
    let fields = cluster.as_object_mut().unwrap();
    NOT_OF_THE_RULE.iter().for_each(|name| {
        fields.remove(*name);
    });
    // The default of the protocol is not written by istiod.
    fields.entry("lb_policy").or_insert("ROUND_ROBIN".into());
    for place in fields["load_assignment"]["endpoints"].as_array_mut().unwrap() {
        for endpoint in place["lb_endpoints"].as_array_mut().unwrap() {
            endpoint.as_object_mut().unwrap().remove("metadata");
        }
    }
    // istiod's authorities come from its agent, ours from the machine.
    if let Some(context) = cluster.pointer_mut("/transport_socket/typed_config/common_tls_context") {
        let context = context.as_object_mut().unwrap();
        let checked = ["validation_context", "combined_validation_context"].map(|name| context.remove(name).is_some());
        context.insert("checked".to_owned(), checked.contains(&true).into());
    }
    cluster
}

#[test]
fn clusters_are_istiods_field_by_field() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/golden/named");
    let mut compared = 0;
    for case in fs::read_dir(golden).unwrap().map(|entry| entry.unwrap().path()) {
        let Ok(expected) = fs::read(case.join("clusters.json")) else {
            continue;
        };
        let mut expected = by_name(&serde_json::from_slice(&expected).unwrap());
        if case.ends_with("dr-consecutive-errors-deprecated") {
            // istiod passes over `consecutiveErrors`; here it means what it meant when it was in use.
            let reviews = expected
                .get_mut("outbound|9080||reviews.default.svc.cluster.local")
                .unwrap();
            reviews["outlier_detection"]["consecutive_gateway_failure"] = 1.into();
            reviews["outlier_detection"]["enforcing_consecutive_gateway_failure"] = 100.into();
        }
        let ours = clusters(&configuration(
            &fs::read_to_string(case.join("input.yaml")).unwrap(),
            "{}",
        ));
        assert_eq!(
            ours.keys().collect::<Vec<_>>(),
            expected.keys().collect::<Vec<_>>(),
            "{case:?}"
        );
        for (name, cluster) in expected {
            assert_eq!(comparable(&ours[&name]), comparable(&cluster), "{case:?} {name}");
            compared += 1;
        }
    }
    assert_eq!(compared, 136);
}
