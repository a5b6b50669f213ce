use super::*;

/// What is said of rules that match as given, each going to a destination of its own.
fn said_of(matches: Value) -> Vec<String> {
    let rule = |entries: &Value| json!({"match": entries, "route": [{"destination": {"host": "a"}}]});
    let rules: Vec<Value> = matches.as_array().unwrap().iter().map(rule).collect();
    said("VirtualService", json!({"hosts": ["a"], "http": rules}))
}

#[test]
fn a_rule_without_a_match_is_the_last_that_is_used() {
    let prefix = json!([{"uri": {"prefix": "/a"}}]);
    assert_eq!(said_of(json!([prefix, []])), [""; 0]);
    assert_eq!(
        said_of(json!([[], prefix, []])),
        ["W IST0130 http[1]", "W IST0130 http[2]"]
    );
}

#[test]
fn the_same_match_again_is_not_used() {
    let exact = json!({"uri": {"exact": "/a"}, "name": "one"});
    let named = json!({"uri": {"exact": "/a"}, "name": "two"});
    let other = json!({"uri": {"exact": "/b"}});
    assert_eq!(
        said_of(json!([[exact], [named], [other, exact]])),
        [
            "W IST0131 http[1].match[0]",
            "W IST0130 http[1]",
            "W IST0131 http[2].match[1]"
        ]
    );
}

#[test]
fn a_longer_prefix_behind_a_shorter_one_is_not_used() {
    let with = |prefix: &str, more: Value| {
        let mut entry = json!({"uri": {"prefix": prefix}});
        entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!([entry])
    };
    let pair = |first: Value, second: Value| said_of(json!([with("/a", first), with("/a/b", second)]));
    let unused = ["W IST0131 http[1].match[0]"];
    assert_eq!(pair(json!({}), json!({})), unused);
    assert_eq!(pair(json!({"port": 1}), json!({"port": 2})), [""; 0]);
    let header = |value: Value| json!({"headers": {"x": value}});
    assert_eq!(
        pair(header(json!({"exact": "1"})), header(json!({"exact": "1"}))),
        unused
    );
    assert_eq!(
        pair(header(json!({"exact": "1"})), header(json!({"exact": "2"}))),
        [""; 0]
    );
    assert_eq!(pair(json!({}), header(json!({}))), [""; 0]);
    let method = |name: &str| json!({"method": {"exact": name}});
    assert_eq!(pair(json!({}), method("GET")), unused);
    assert_eq!(pair(json!({}), method("POST")), [""; 0]);
    assert_eq!(
        said_of(json!([with("/a/b", json!({})), with("/a", json!({}))])),
        [""; 0]
    );
}

#[test]
fn what_takes_the_requests_instead_is_named() {
    let matches = [
        json!([{"uri": {"prefix": "/a"}}]),
        json!([{"uri": {"prefix": "/a/b"}}, {"uri": {"prefix": "/a"}}]),
        json!([]),
        json!([]),
    ];
    let rules = matches.map(|entries| json!({"match": entries, "route": [{"destination": {"host": "a"}}]}));
    let json = json!({"resources": [{
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "it"},
        "spec": {"hosts": ["a"], "http": rules},
    }]});
    let (config, _) = Config::from_json(json.to_string().as_bytes());
    let related = |finding: Finding| (finding.path, finding.related[0].path.clone());
    let mut pairs: Vec<_> = validate(&config).into_iter().map(related).collect();
    pairs.sort();
    let expected = [
        ("http[1].match[0]", "http[0].match[0]"),
        ("http[1].match[1]", "http[0].match[0]"),
        ("http[3]", "http[2]"),
    ];
    assert_eq!(
        pairs,
        expected.map(|(unused, instead)| (unused.to_owned(), instead.to_owned()))
    );
}
