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
fn what_cannot_be_read_is_found_where_it_stands() {
    let object = |name: &str, rule: &str| {
        format!(
            r#"{{"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {{"name": "{name}"}},
                "spec": {{"hosts": ["a"], "http": [{{}}, {{"name": {rule}}}]}}}}"#
        )
    };
    let resources = [object(r"\ud800", "1"), object("a", "1e999"), object("b", "1")];
    let json = format!(r#"{{"resources": [{}]}}"#, resources.join(", "));
    assert_eq!(
        findings(&json),
        [
            "Error resources[0]: is not JSON: unexpected end of hex escape",
            "Error VirtualService default/a http[1]: is not JSON: number out of range",
            "Error VirtualService default/b http[1].name: has to be a string, and is a number",
        ]
    );
}

#[test]
fn lists_in_lists_end() {
    let [begin, end] = [r#"{"kind": "List", "items": ["#, "]}"].map(|part| part.repeat(100_000));
    let findings = findings(&format!(r#"{{"resources": [{begin}{end}]}}"#));
    assert_eq!(findings, ["Error resources[0]: is not JSON: recursion limit exceeded"]);
}

#[test]
fn what_is_not_json_is_one_finding() {
    assert_eq!(findings("[1").len(), 1);
    assert_eq!(Config::from_json(b"\xff").1.len(), 1);
}
