use serde_json::{Value, json};

use super::*;
use crate::decision::{Decision, decide};
use crate::dice::Fixed;
use crate::header::map::HeaderMap;
use crate::plugin::Plugin;

/// A table with these rules for the host `a`.
fn table(http: Value) -> RouteTable {
    let resource = json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "vs"},
        "spec": {"hosts": ["a"], "http": http},
    });
    let json = json!({"proxy": {"port": 80}, "resources": [resource]}).to_string();
    Plugin::load(json.as_bytes()).unwrap().table
}

fn request<'a>(headers: &'a [(&'a str, &'a str)]) -> HeaderMap {
    let pseudo = [(":method", "GET"), (":authority", "a"), (":scheme", "http")];
    pseudo.into_iter().chain(headers.iter().copied()).collect()
}

/// Why a match with these conditions does not take a request.
fn why(conditions: Value, headers: &[(&str, &str)]) -> (String, Option<Change>) {
    let table = table(json!([{"match": [conditions], "route": [{"destination": {"host": "b"}}]}]));
    let headers = request(headers);
    let explanation = explain(&table, &Request::new(&headers), &|_| None);
    assert_eq!(explanation.verdict, Verdict::NotFound);
    let passed = explanation.passed_over.into_iter().next().unwrap();
    (passed.unmet.to_string(), passed.unmet.change)
}

#[test]
fn a_condition_says_what_it_asks_and_what_is_there() {
    let path = (":path", "/x?v=2&v=1");
    let change = |name: &str, value: &str| Some(Change::Header(name.to_owned(), value.to_owned()));
    for (conditions, headers, sentence, remedy) in [
        (
            json!({"uri": {"exact": "/y"}}),
            vec![path],
            "path is /x, and has to be /y",
            Some(Change::Path("/y".to_owned())),
        ),
        (
            json!({"uri": {"prefix": "/Y"}, "ignoreUriCase": true}),
            vec![path],
            "path is /x, and has to begin with /Y in any case",
            Some(Change::Path("/Y".to_owned())),
        ),
        (
            json!({"uri": {"regex": "/v[12]"}}),
            vec![path],
            "path is /x, and has to match /v[12]",
            Some(Change::Path("/v1".to_owned())),
        ),
        (
            json!({"uri": {"exact": "y"}}),
            vec![path],
            "path is /x, and has to be y",
            Some(Change::Impossible),
        ),
        (
            json!({"method": {"exact": "PUT"}}),
            vec![path],
            "method is GET, and has to be PUT",
            change(":method", "PUT"),
        ),
        (
            json!({"headers": {"h": {}}}),
            vec![path],
            "header h is missing, and has to be there",
            change("h", "x"),
        ),
        (
            json!({"headers": {"h": {"exact": "a b"}}}),
            vec![path, ("h", "1"), ("h", "")],
            "header h is 1 and \"\", and has to be \"a b\"",
            change("h", "a b"),
        ),
        (
            json!({"withoutHeaders": {"h": {}}}),
            vec![path, ("h", "\u{1b}[31m")],
            "header h is \"\\u{1b}[31m\", and must not be there",
            Some(Change::WithoutHeader("h".to_owned())),
        ),
        (
            json!({"withoutHeaders": {"h": {"exact": ""}}}),
            vec![path],
            "header h is missing, which counts as empty, and must not be \"\"",
            change("h", "x"),
        ),
        (
            json!({"queryParams": {"v": {"exact": "1"}}}),
            vec![path],
            "query parameter v is 2, and has to be 1",
            Some(Change::QueryParameter("v".to_owned(), "1".to_owned())),
        ),
    ] {
        assert_eq!(
            why(conditions.clone(), &headers),
            (sentence.to_owned(), remedy),
            "{conditions}"
        );
    }
}

#[test]
fn draws_have_their_probabilities() {
    let table = table(json!([{
        "route": [{"destination": {"host": "b", "subset": "v1"}, "weight": 3}, {"destination": {"host": "b"}, "weight": 1}],
        "fault": {"abort": {"grpcStatus": "UNAVAILABLE", "percentage": {"value": 0.5}}, "delay": {"fixedDelay": "2s"}},
        "mirrors": [{"destination": {"host": "c"}, "percentage": {"value": 25}}],
        "retries": {"attempts": 2, "perTryTimeout": "1s", "retryOn": "5xx,503,unavailable"},
    }]));
    let headers = request(&[(":path", "/")]);
    let request = Request::new(&headers);
    let Verdict::Routed(treatment) = explain(&table, &request, &|_| None).verdict else {
        panic!("the rule takes everything");
    };
    assert_eq!(treatment.delay, None, "nobody is delayed without a percentage");
    let abort = treatment.abort.unwrap();
    assert_eq!(
        (abort.status, abort.grpc_status, abort.probability),
        (200, Some("UNAVAILABLE"), 0.005)
    );
    let Answer::Upstream {
        destinations,
        retries,
        mirrors,
        ..
    } = treatment.answer
    else {
        panic!("the rule has destinations");
    };
    let shares: Vec<_> = destinations
        .iter()
        .map(|choice| (choice.subset.as_str(), choice.probability))
        .collect();
    assert_eq!(shares, [("v1", 0.75), ("", 0.25)]);
    assert_eq!((retries.attempts, retries.per_try_milliseconds), (2, Some(1000)));
    assert_eq!(retries.on, "5xx,retriable-status-codes,unavailable,503");
    assert_eq!(
        (mirrors[0].cluster.as_str(), mirrors[0].probability),
        ("outbound|80||c.default.svc.cluster.local", 0.25)
    );
}

#[test]
fn each_destination_has_its_own_changes() {
    let to = |subset: &str| {
        let headers = json!({"response": {"set": {"x": "%UPSTREAM_CLUSTER%"}}});
        json!({"destination": {"host": "b", "subset": subset}, "weight": 1, "headers": headers})
    };
    let table = table(json!([{"route": [to("v1"), to("v2")]}]));
    let headers = request(&[(":path", "/")]);
    let known = |_| Some(Vec::new());
    let Verdict::Routed(treatment) = explain(&table, &Request::new(&headers), &known).verdict else {
        panic!("the rule takes everything");
    };
    let Answer::Upstream { destinations, .. } = treatment.answer else {
        panic!("the rule has destinations");
    };
    let set = |subset| {
        HeaderChange::Set(
            "x".to_owned(),
            format!("outbound|80|{subset}|b.default.svc.cluster.local;"),
        )
    };
    let changes: Vec<_> = destinations.into_iter().map(|choice| choice.response_headers).collect();
    assert_eq!(changes, [[set("v1")], [set("v2")]]);
}

fn compacted(http: Value, headers: &[(&str, &str)], draws: &[u64]) -> String {
    let table = table(http);
    let headers = request(headers);
    let request = Request::new(&headers);
    let decision = decide(&table, &request, &mut Fixed(draws.iter().copied().collect()));
    compact(&table, &request, &decision)
}

#[test]
fn one_line_says_it_all() {
    let split = json!([{"destination": {"host": "b", "subset": "v1"}, "weight": 90}, {"destination": {"host": "b"}, "weight": 10}]);
    let http = json!([
        {"name": "canary", "match": [{"headers": {"h": {"exact": "é"}}}], "directResponse": {"status": 200}},
        {"match": [{"uri": {"prefix": "/x"}}], "route": split},
    ]);
    assert_eq!(
        compacted(http.clone(), &[(":path", "/x")], &[195]),
        "by default/vs http[1].match[0]; to outbound|80||b.default.svc.cluster.local, drawn 95 of 100, weight 10; \
         not default/vs http[0].match[0]: header h is missing, and has to be ?"
    );
    assert_eq!(
        compacted(http.clone(), &[(":path", "/x"), ("h", "é")], &[]),
        "by default/vs http[0].match[0] \"canary\"; answered with 200"
    );
    assert!(
        compacted(http.clone(), &[(":path", "/")], &[])
            .starts_with("not found: no rule of a.default.svc.cluster.local takes it; not")
    );
    let other = HeaderMap::from_iter([(":authority", "b"), (":path", "/")]);
    let request = Request::new(&other);
    assert_eq!(
        compact(&table(http), &request, &Decision::Untouched),
        "untouched: no VirtualService has the host"
    );
}

#[test]
fn one_line_stays_bounded_whatever_is_sent() {
    let rule = |index: usize| json!({"match": [{"headers": {"h": {"exact": index.to_string()}}}], "directResponse": {"status": 200}});
    let many: Vec<Value> = (0..1000).map(rule).collect();
    let long = "\r\n\0x".repeat(10_000);
    let line = compacted(json!(many), &[(":path", "/"), ("h", &long)], &[]);
    assert!(
        line.len() < 5000 && line.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
        "{line}"
    );
    let line = compacted(json!(many), &[(":path", "/"), ("h", "y")], &[]);
    assert!(line.ends_with("; not 992 others before"), "{line}");
}
