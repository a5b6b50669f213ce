use super::*;

/// A VirtualService of one rule, which has a route unless it brings one.
pub(super) fn with_route(mut rule: Value) -> Value {
    let route = json!([{"destination": {"host": "a"}}]);
    if let Some(rule) = rule.as_object_mut() {
        rule.entry("route").or_insert(route);
    }
    json!({"hosts": ["a"], "http": [rule]})
}

fn with_match(entry: Value) -> Value {
    with_route(json!({"match": [entry]}))
}

#[test]
fn a_rule_does_one_thing() {
    let alone = |rule: Value| json!({"hosts": ["a"], "http": [rule]});
    let (route, redirect, response) = (
        json!([{"destination": {"host": "a"}}]),
        json!({"uri": "/"}),
        json!({"status": 200}),
    );
    errors(
        "VirtualService",
        alone,
        &[
            (json!({}), "http[0]"),
            (json!({"route": route}), ""),
            (json!({"redirect": redirect}), ""),
            (json!({"directResponse": response}), ""),
            (json!({"delegate": {"name": "b"}, "directResponse": response}), ""),
            (
                json!({"redirect": redirect, "route": route, "directResponse": response, "fault": {"delay": {}}, "rewrite": {"uri": "/"}}),
                "http[0].route http[0].directResponse http[0].fault http[0].rewrite",
            ),
            (json!({"directResponse": response, "route": route}), "http[0].route"),
            (
                json!({"delegate": {"name": "b"}, "route": route, "redirect": redirect}),
                "http[0].route http[0].redirect",
            ),
            (
                json!({"route": route, "mirror": {"host": "b"}, "mirrors": [{"destination": {"host": "b"}}]}),
                "http[0].mirrors",
            ),
        ],
    );
    let delegate = json!({"http": [{"delegate": {"name": "b"}, "route": route}]});
    assert_eq!(said("VirtualService", delegate), ["E IST0106 http[0].delegate"]);
}

#[test]
fn one_without_hosts_has_http_rules_alone() {
    let spec = json!({"gateways": ["g"], "tcp": [{"route": [{"destination": {"host": "a"}}]}]});
    assert_eq!(
        said("VirtualService", spec),
        ["E IST0106 gateways", "E IST0106 tcp", "W SWY0001 tcp"]
    );
    assert_eq!(said("VirtualService", json!({"hosts": ["a"]})), ["E IST0106 "]);
}

#[test]
fn hosts_are_names_and_do_not_overlap() {
    let whole = |hosts: Value| json!({"hosts": hosts, "http": [{"route": [{"destination": {"host": "a"}}]}]});
    errors(
        "VirtualService",
        whole,
        &[
            (json!(["a", "*.b.com", "10.0.0.1", "::1"]), ""),
            (json!(["*"]), "hosts[0]"),
            (json!(["a_b", ""]), "hosts[0] hosts[1]"),
            (json!(["*.b.com", "c.b.com", "c.b.com"]), "hosts[1] hosts[2] hosts[2]"),
            (json!(["*", "a_b"]), "hosts[0] hosts[1]"),
        ],
    );
    let mut at_gateway = whole(json!(["*"]));
    at_gateway["gateways"] = json!(["g"]);
    assert_eq!(said("VirtualService", at_gateway.clone()), [""; 0]);
    at_gateway["gateways"] = json!(["g", "mesh"]);
    assert_eq!(said("VirtualService", at_gateway), ["E IST0106 hosts[0]"]);
}

#[test]
fn gateways_have_names_and_the_old_spelling_warns() {
    let whole = |gateways: Value| {
        let mut spec = with_route(json!({}));
        spec["gateways"] = gateways;
        said("VirtualService", spec)
    };
    assert_eq!(whole(json!(["ns/g", "mesh"])), [""; 0]);
    assert_eq!(
        whole(json!(["ns/*", "*/g", "a b"])),
        [
            "E IST0106 gateways[0]",
            "E IST0106 gateways[1]",
            "E IST0106 gateways[2]"
        ]
    );
    assert_eq!(whole(json!(["g.ns.svc.cluster.local"])), ["W IST0133 gateways[0]"]);
    assert_eq!(whole(json!(["mesh", "a b"])), [""; 0]);
}

#[test]
fn an_empty_prefix_matches_paths_and_nothing_else() {
    errors(
        "VirtualService",
        with_match,
        &[
            (
                json!({"uri": {"prefix": ""}, "method": {"exact": ""}, "headers": {"a": {}}}),
                "",
            ),
            (json!({"method": {"prefix": ""}}), "http[0].match[0].method.prefix"),
            (
                json!({"headers": {"a": {"prefix": ""}}}),
                "http[0].match[0].headers.a.prefix",
            ),
            (
                json!({"withoutHeaders": {"a": {"prefix": ""}}}),
                "http[0].match[0].withoutHeaders.a.prefix",
            ),
            (
                json!({"queryParams": {"a": {"prefix": ""}}}),
                "http[0].match[0].queryParams.a.prefix",
            ),
        ],
    );
}

#[test]
fn a_star_alone_asks_for_presence_in_without_headers_only() {
    errors(
        "VirtualService",
        with_match,
        &[
            (json!({"withoutHeaders": {"a": {"regex": "*"}}}), ""),
            (
                json!({"headers": {"a": {"regex": "*"}}}),
                "http[0].match[0].headers.a.regex",
            ),
        ],
    );
}

#[test]
fn expressions_compile_and_are_not_too_long() {
    let path = "http[0].match[0].uri.regex";
    errors(
        "VirtualService",
        with_match,
        &[
            (json!({"uri": {"regex": "/a{2}.*"}}), ""),
            (json!({"uri": {"regex": ""}}), path),
            (json!({"uri": {"regex": "(?=a)"}}), path),
            (json!({"uri": {"regex": "a".repeat(1024)}}), ""),
            (json!({"uri": {"regex": "a".repeat(1025)}}), path),
            (json!({"uri": {"regex": "a", "exact": "b"}}), "http[0].match[0].uri"),
        ],
    );
}

#[test]
fn an_expression_that_takes_more_memory_than_it_may_is_an_error_where_it_stands() {
    let wide = "[ab]{100}[bc]{100}";
    let rule = |fields: Value| {
        let mut rule = json!({"route": [{"destination": {"host": "a"}}]});
        rule.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        rule
    };
    let spec = json!({"hosts": ["a"], "http": [
        rule(json!({"match": [{"uri": {"regex": wide}}, {"headers": {"x-a": {"regex": wide}}}, {"queryParams": {"q": {"regex": "a"}}}]})),
        rule(json!({"match": [{"uri": {"prefix": "/c"}}], "corsPolicy": {"allowOrigins": [{"regex": wide}]}})),
        rule(json!({"rewrite": {"uriRegexRewrite": {"match": wide, "rewrite": "/"}}})),
    ]});
    let findings = |bytes: usize| {
        let json = json!({"options": {"maxRegexBytes": bytes}, "resources": [{
            "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "it"}, "spec": spec}]});
        let loaded = crate::plugin::Plugin::load(json.to_string().as_bytes());
        let refused = loaded.err().unwrap_or_default();
        refused
            .into_iter()
            .map(|finding| (finding.path, finding.message))
            .collect::<Vec<_>>()
    };
    assert_eq!(findings(1 << 20), []);
    let refused = findings(2000);
    let paths: Vec<&str> = refused.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "http[0].match[0].uri.regex",
            "http[0].match[1].headers.x-a.regex",
            "http[1].corsPolicy.allowOrigins[0].regex",
            "http[2].rewrite.uriRegexRewrite.match",
        ]
    );
    assert!(
        refused
            .iter()
            .all(|(_, message)| message.contains("more than 2000 bytes")),
        "{refused:?}"
    );
}

#[test]
fn headers_are_matched_by_name_and_tokens_at_gateways_alone() {
    errors(
        "VirtualService",
        with_match,
        &[
            (json!({"headers": {":path": {}, "x-a": {}}}), ""),
            (json!({"headers": {":uri": {}}}), "http[0].match[0].headers.:uri"),
            (
                json!({"withoutHeaders": {"a(b)": {}}}),
                "http[0].match[0].withoutHeaders.a(b)",
            ),
        ],
    );
    let claim = "@request.auth.claims.group";
    let mut spec = with_match(json!({"headers": {claim: {"exact": "a"}}}));
    assert_eq!(
        said("VirtualService", spec.clone()),
        [format!("E IST0106 http[0].match[0].headers.{claim}")]
    );
    spec["gateways"] = json!(["g"]);
    assert_eq!(said("VirtualService", spec), [""; 0]);
}

#[test]
fn a_match_has_ports_labels_and_namespaces_that_exist() {
    errors(
        "VirtualService",
        with_match,
        &[
            (
                json!({"port": 0, "sourceLabels": {"app.kubernetes.io/name": "", "a": "b"}, "sourceNamespace": "ns"}),
                "",
            ),
            (json!({"port": 65536}), "http[0].match[0].port"),
            (
                json!({"sourceLabels": {"-a": "b", "c": "d!"}}),
                "http[0].match[0].sourceLabels.-a http[0].match[0].sourceLabels.c",
            ),
            (json!({"sourceNamespace": "a_b"}), "http[0].match[0].sourceNamespace"),
        ],
    );
}
