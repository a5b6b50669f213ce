use super::*;

fn findings(json: &str) -> Vec<String> {
    Config::from_json(json.as_bytes())
        .1
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn every_fault_of_a_configuration_is_named_with_its_path() {
    let json = r#"{"proxi": {}, "options": {"maxActiveFaults": "many"}, "resources": [
        {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "a"},
         "spec": {"hosts": ["a"], "http": [{"rout": []}, {"route": [{"weight": "5"}]}]}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "p"}}]}"#;
    assert_eq!(
        findings(json),
        [
            "Error proxi: there is no such field; did you mean `proxy`?",
            "Error options.maxActiveFaults: has to be a whole number, and is a string",
            "Error VirtualService default/a http[0].rout: there is no such field; did you mean `route`?",
            "Error VirtualService default/a http[1].route[0].weight: has to be a whole number, and is a string",
            "Warning ConfigMap default/p kind: ConfigMap is not a kind we read; it is passed over",
        ]
    );
}

#[test]
fn a_list_is_read_through_and_the_kind_may_come_last() {
    let json = r#"{"resources": [{"items": [{"spec": {"hosts": ["a"]}, "metadata": {"name": "a", "uid": "1"},
        "apiVersion": "networking.istio.io/v1beta1", "status": {}, "kind": "VirtualService"}], "apiVersion": "v1", "kind": "List"}]}"#;
    let (config, findings) = Config::from_json(json.as_bytes());
    assert_eq!(findings, []);
    assert_eq!(config.resources.virtual_services[0].spec.hosts, ["a"]);
}

#[test]
fn what_is_not_json_is_one_finding() {
    assert_eq!(findings("[1").len(), 1);
    assert_eq!(Config::from_json(b"\xff").1.len(), 1);
}
