//! What is put into headers by format, beside what Envoy's own routes put there.

use std::collections::BTreeMap;
use std::time::Duration;

use hyper::HeaderMap;
use regex::Regex;
use serde_json::{Value, json};
use switchyard::header::format::ATTRIBUTES;

use crate::support::http::{Call, call};
use crate::support::manifest::service;
use crate::support::ports::Port;
use crate::support::turn;
use crate::support::twin::Twins;
use crate::support::upstream::{Behaviour, Upstream};

/// Beside the commands of [`ATTRIBUTES`].
#[rustfmt::skip]
const FORMATS: [&str; 33] = [
    "%REQ(x-a)%", "%REQ(X-A):2%", "%REQ(x-a):0%", "%REQ(x-a):99%", "%REQ(x-none)%", "%REQ(x-none?x-a)%", "%REQ(x-a?x-b):1%",
    "%REQ(x-none?x-b):1%", "%REQ(x-none?x-nor-this):3%", "%REQ(x-empty?x-a)%", "%REQ(x-bytes)%", "%REQ(x-bytes):1%",
    "%REQ(:path)%", "%REQ(:authority)%", "%REQ(:method)%", "%REQ(:scheme)%", "%REQ(host)%", "%REQ(x-envoy-original-path?:path)%",
    "%REQ(x-envoy-original-host)%", "%REQ(x-forwarded-proto)%", "%REQ(x-forwarded-for)%", "%REQ(user-agent)%", "%REQ(set-00)%",
    "%REQ(x-removed)%", "%RESP(content-length)%", "%RESP(X-None?Content-Length):1%", "%RESP(content-type)%", "%RESP(:status)%",
    "%RESP(location)%", "%RESP(set-00)%", "100%%", "%%%REQ(x-a)%%%", "%PROTOCOL% %REQ(x-none)%",
];

/// One rule and the route that istiod makes of it, for the path of its name.
struct Case {
    name: &'static str,
    rule: Value,
    route: Value,
}

fn all_formats() -> impl Iterator<Item = (usize, String)> {
    let attributes = ATTRIBUTES.iter().map(|(name, _)| format!("%{name}%"));
    attributes.chain(FORMATS.map(str::to_owned)).enumerate()
}

/// Each is set alone, and is added within a text.
fn operations() -> Value {
    let set: BTreeMap<_, _> = all_formats()
        .map(|(at, format)| (format!("set-{at:02}"), format))
        .collect();
    let add = all_formats().map(|(at, format)| (format!("set-{at:02}"), format!("<{format}>")));
    json!({"remove": ["x-removed"], "set": set, "add": add.collect::<BTreeMap<_, _>>()})
}

/// As istiod writes operations into a route.
fn native_operations(side: &str, operations: &Value, into: &mut Value) {
    let list = |field: &str, action: &str| -> Vec<Value> {
        let map = operations[field].as_object();
        let entries = map.into_iter().flatten();
        entries
            .map(|(key, value)| json!({"header": {"key": key, "value": value}, "append_action": action}))
            .collect()
    };
    let set = list("set", "OVERWRITE_IF_EXISTS_OR_ADD");
    into[format!("{side}_headers_to_add")] = [set, list("add", "APPEND_IF_EXISTS_OR_ADD")].concat().into();
    into[format!("{side}_headers_to_remove")] = operations["remove"].clone();
}

const CLUSTER: &str = "outbound|8080||web.default.svc.cluster.local";

fn cases() -> Vec<Case> {
    let to = |subset: &str| json!([{"destination": {"host": "web", "subset": subset}}]);
    let own = json!({
        "request": {"set": {"x-own": "%UPSTREAM_CLUSTER% %REQ(x-a)%", "x-a": "changed"}},
        "response": {"set": {"x-own": "%UPSTREAM_CLUSTER% %REQ(x-a)% %RESPONSE_CODE%"}},
    });
    let mut split = json!({"name": CLUSTER, "weight": 100});
    native_operations("request", &own["request"], &mut split);
    native_operations("response", &own["response"], &mut split);
    let abort = json!({"percentage": {"value": 100}, "httpStatus": 418});
    let fault = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
        "abort": {"http_status": 418, "percentage": {"numerator": 100}},
    });
    let case = |name, rule, route| Case { name, rule, route };
    vec![
        case(
            "plain",
            json!({"name": "rule", "route": to("")}),
            json!({"name": "rule", "route": {"cluster": CLUSTER}}),
        ),
        case(
            "forwarded",
            json!({"route": to("")}),
            json!({"route": {"cluster": CLUSTER}}),
        ),
        case(
            "unnamed",
            json!({"route": to("")}),
            json!({"route": {"cluster": CLUSTER}}),
        ),
        case(
            "rewritten",
            json!({"rewrite": {"uri": "/new", "authority": "other"}, "route": to("")}),
            json!({"route": {"cluster": CLUSTER, "prefix_rewrite": "/new", "host_rewrite_literal": "other"}}),
        ),
        case(
            "split",
            json!({"name": "split", "route": [
                {"destination": {"host": "web"}, "weight": 100, "headers": own},
                {"destination": {"host": "web", "subset": "v2"}}]}),
            json!({"name": "split", "route": {"weighted_clusters": {"clusters": [split]}}}),
        ),
        case(
            "missing",
            json!({"name": "missing", "route": to("none")}),
            json!({"name": "missing", "route": {"cluster": "outbound|8080|none|web.default.svc.cluster.local"}}),
        ),
        case(
            "refused",
            json!({"name": "refused", "route": [{"destination": {"host": "closed"}}]}),
            json!({"name": "refused", "route": {"cluster": "outbound|8080||closed.default.svc.cluster.local"}}),
        ),
        case(
            "late",
            json!({"name": "late", "timeout": "10ms", "route": [{"destination": {"host": "slow"}}]}),
            json!({"name": "late", "route": {"cluster": "outbound|8080||slow.default.svc.cluster.local", "timeout": "0.01s"}}),
        ),
        case(
            "aborted",
            json!({"name": "aborted", "fault": {"abort": abort}, "route": to("")}),
            json!({"name": "aborted", "route": {"cluster": CLUSTER}, "typed_per_filter_config": {"fault": fault}}),
        ),
        case(
            "answered",
            json!({"name": "answered", "directResponse": {"status": 299, "body": {"string": "here"}}}),
            json!({"name": "answered", "direct_response": {"status": 299, "body": {"inline_string": "here"}}}),
        ),
        case(
            "redirected",
            json!({"name": "redirected", "redirect": {"uri": "/there", "redirectCode": 302}}),
            json!({"name": "redirected", "redirect": {"path_redirect": "/there", "response_code": "FOUND"}}),
        ),
    ]
}

/// A VirtualService with the cases' rules.
fn manifest(cases: &[Case]) -> String {
    let rules = cases.iter().map(|case| {
        let mut rule = case.rule.clone();
        rule["match"] = json!([{"uri": {"prefix": format!("/{}", case.name)}}]);
        rule["headers"] = json!({"request": operations(), "response": operations()});
        rule
    });
    let manifest = json!({
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "web"},
        "spec": {"hosts": ["web"], "http": rules.collect::<Vec<_>>()},
    });
    format!("{manifest}\n")
}

/// The cases' routes, and the fault filter before the router.
fn native(cases: &[Case], manager: &mut Value) {
    let routes = cases.iter().map(|case| {
        let mut route = case.route.clone();
        route["match"] = json!({"prefix": format!("/{}", case.name)});
        native_operations("request", &operations(), &mut route);
        native_operations("response", &operations(), &mut route);
        route
    });
    let routes: Vec<Value> = routes.collect();
    manager["route_config"] = json!({
        "validate_clusters": false,
        "virtual_hosts": [{"name": "web", "domains": ["*"], "routes": routes}],
    });
    let fault = json!({"name": "fault", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault"}});
    manager["http_filters"].as_array_mut().unwrap().insert(0, fault);
}

fn request(case: &Case) -> Call {
    let call = call("GET", "web:8080", &format!("/{}/page?q=1", case.name))
        .header("x-a", "alpha")
        .header("x-a", "second")
        .header("x-b", "beta")
        .header("x-empty", "")
        .header("x-bytes", b"\xff\xfe")
        .header("x-removed", "still here")
        .header("user-agent", "test");
    match case.name {
        "forwarded" => call.header("x-forwarded-for", "192.0.2.7"),
        _ => call,
    }
}

/// The lines that operations made, by the format's own text, without the ports that differ from one connection to the next.
fn seen(headers: &HeaderMap, ports: &[(u16, &str)]) -> BTreeMap<String, Vec<String>> {
    let lines = |name: &str| {
        let values = headers.get_all(name).into_iter();
        values
            .map(|value| named(&value.as_bytes().escape_ascii().to_string(), ports))
            .collect()
    };
    let formats = all_formats().map(|(at, format)| (format, lines(&format!("set-{at:02}"))));
    formats.chain([("x-own".to_owned(), lines("x-own"))]).collect()
}

fn named(text: &str, ports: &[(u16, &str)]) -> String {
    let text = ports.iter().fold(text.to_owned(), |text, (port, name)| {
        text.replace(&port.to_string(), name)
    });
    let client = Regex::new(r"127\.0\.0\.1:\d+").unwrap();
    client.replace_all(&text, "CLIENT").into_owned()
}

#[tokio::test]
async fn formats_are_filled_in_as_envoys_own_routes_fill_them_in() {
    let _turn = turn::alongside().await;
    let upstream = Upstream::start(Behaviour::default()).await;
    let slow = Upstream::start(Behaviour {
        delay: Duration::from_secs(1),
        ..Behaviour::default()
    })
    .await;
    let closed = Port::reserve();
    let cases = cases();
    let manifests = [
        service("web", 8080, &[("v1", upstream.address)]),
        service("slow", 8080, &[("v1", slow.address)]),
        service("closed", 8080, &[("v1", closed.address())]),
        manifest(&cases),
    ];
    let twins = Twins::start(&manifests, |manager| native(&cases, manager)).await;
    let mut differences = String::new();
    for case in &cases {
        let mut both = Vec::new();
        for listener in [twins.ours, twins.native] {
            upstream.forget();
            let ports = [
                (listener.port(), "LISTENER"),
                (upstream.address.port(), "UPSTREAM"),
                (slow.address.port(), "UPSTREAM"),
                (closed.address().port(), "UPSTREAM"),
            ];
            let answer = request(case).send(listener).await;
            let received = upstream.received();
            let sent = received.first().map(|request| seen(&request.headers, &ports));
            both.push((answer.status, seen(&answer.headers, &ports), sent));
        }
        let (ours, native) = (&both[0], &both[1]);
        assert_eq!(
            (ours.0, ours.2.is_some()),
            (native.0, native.2.is_some()),
            "{}",
            case.name
        );
        let maps = [
            ("response", Some(&ours.1), Some(&native.1)),
            ("request", ours.2.as_ref(), native.2.as_ref()),
        ];
        for (side, ours, native) in maps {
            for (format, native) in native.into_iter().flatten() {
                let ours = &ours.unwrap()[format];
                if ours != native {
                    differences += &format!("{} {side} {format}: {ours:?}, Envoy has {native:?}\n", case.name);
                }
            }
        }
    }
    assert!(differences.is_empty(), "\n{differences}");
}
