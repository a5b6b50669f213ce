//! A run in which everything that is counted happens, held against what its clients and its upstreams saw.

use std::collections::BTreeMap;
use std::time::Duration;

use hyper::StatusCode;
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;

use crate::support::admin::Stats;
use crate::support::exposition::{Exposition, Series, series};
use crate::support::http::{Answer, Call, call, get, load};
use crate::support::manifest::virtual_service;
use crate::support::turn;
use crate::support::upstream::{Behaviour, Upstream};
use crate::support::web::Web;

const RULES: [&str; 9] = [
    "{name: canary, match: [{uri: {exact: /canary}}], route: [\
        {destination: {host: web, subset: v1}, weight: 70}, {destination: {host: web, subset: v2}, weight: 30}]}",
    "{name: slow, match: [{uri: {exact: /slow}}], fault: {delay: {percentage: {value: 100}, fixedDelay: 2s}}, \
        route: [{destination: {host: web, subset: v1}}]}",
    "{name: failing, match: [{uri: {exact: /failing}}], fault: {abort: {percentage: {value: 30}, httpStatus: 500}}, \
        route: [{destination: {host: web, subset: v1}}]}",
    "{name: both, match: [{uri: {exact: /both}}], fault: {delay: {percentage: {value: 100}, fixedDelay: 0.05s}, \
        abort: {percentage: {value: 100}, httpStatus: 503}}, route: [{destination: {host: web, subset: v1}}]}",
    "{name: copied, match: [{name: post, uri: {exact: /copied}}], mirror: {host: web, subset: v2}, \
        route: [{destination: {host: web, subset: v1}}]}",
    "{name: lost, match: [{uri: {exact: /lost}}], mirror: {host: refused}, route: [{destination: {host: web, subset: v1}}]}",
    "{name: retried, match: [{uri: {exact: /retried}}], retries: {attempts: 2, retryOn: 5xx}, \
        route: [{destination: {host: web, subset: v2}}]}",
    "{name: moved, match: [{uri: {exact: /moved}}], redirect: {uri: /elsewhere}}",
    "{name: closed, match: [{uri: {exact: /closed}}], directResponse: {status: 500}}",
];
const WEB: &str = "web_default_svc_cluster_local";

/// What clients and upstreams saw, under the names that the counters have.
#[derive(Default)]
struct Seen(BTreeMap<Series, f64>);

impl Seen {
    fn add(&mut self, name: &str, labels: &[(&str, &str)], count: usize) {
        if count > 0 {
            let name = format!("switchyard_{name}");
            *self.0.entry(series(&name, labels)).or_default() += count as f64;
        }
    }

    /// Requests of a rule, by what its upstreams got and what was answered on the way.
    fn routed(&mut self, route: &str, subset: &str, count: usize) {
        self.add(
            "requests_total",
            &[("route", route), ("subset", subset), ("destination", WEB)],
            count,
        );
    }
}

/// How many requests for a path an upstream got; copies are not among them.
fn got(upstream: &Upstream, path: &str) -> usize {
    let got = upstream.received();
    got.iter()
        .filter(|request| request.path == path && !is_copy(request.header("host")))
        .count()
}

fn is_copy(host: &[u8]) -> bool {
    host.starts_with(b"web-shadow")
}

fn count(answers: &[Answer], is: impl Fn(&Answer) -> bool) -> usize {
    answers.iter().filter(|answer| is(answer)).count()
}

async fn send(web: &Web, times: usize, request: impl Fn() -> Call) -> Vec<Answer> {
    load(web.address, times, 1, request).await
}

#[tokio::test]
async fn counters_and_the_access_log_equal_what_clients_and_upstreams_saw() {
    let _turn = turn::alongside().await;
    let mut web = Web::with_options(json!({"maxActiveFaults": 2, "maxMirrorBodyBytes": 1000}), &RULES).await;
    // Another configuration: what was counted is counted on.
    let known = "{match: [{uri: {exact: /known}}], route: [{destination: {host: web, subset: v1}}]}";
    web.switchyard.apply(&virtual_service("plain", &[known])).await;
    let mut seen = Seen::default();

    send(&web, 200, || get("web:8080", "/canary")).await;
    for (subset, upstream) in [("v1", &web.v1), ("v2", &web.v2)] {
        seen.routed("canary", subset, got(upstream, "/canary"));
    }

    // Six at once, of which two may wait.
    let mut slow = JoinSet::new();
    for _ in 0..6 {
        slow.spawn(get("web:8080", "/slow").send(web.address));
    }
    let two_wait = |stats: &Stats| stats.get("wasmcustom.switchyard_active_faults") == 2;
    web.switchyard.admin.until("do two wait", two_wait).await;
    let slow = slow.join_all().await;
    let waited = count(&slow, |answer| answer.took > Duration::from_millis(1900));
    assert_eq!((waited, got(&web.v1, "/slow")), (2, 6));
    seen.routed("slow", "v1", 6);
    seen.add("delays_injected_total", &[("route", "slow")], waited);
    seen.add("faults_overflow_total", &[], 6 - waited);

    let failing = send(&web, 200, || get("web:8080", "/failing")).await;
    let aborted = count(&failing, |answer| {
        answer.status == 500 && answer.text() == "fault filter abort"
    });
    assert_eq!(aborted + got(&web.v1, "/failing"), 200);
    seen.routed("failing", "v1", 200);
    seen.add("aborts_injected_total", &[("route", "failing")], aborted);

    let both = send(&web, 5, || get("web:8080", "/both")).await;
    assert_eq!(
        (count(&both, |answer| answer.status == 503), got(&web.v1, "/both")),
        (5, 0)
    );
    seen.routed("both", "v1", 5);
    seen.add("delays_injected_total", &[("route", "both")], 5);
    seen.add("aborts_injected_total", &[("route", "both")], 5);

    send(&web, 10, || get("web:8080", "/copied")).await;
    send(&web, 3, || call("POST", "web:8080", "/copied").body("short")).await;
    send(&web, 1, || get("web:8080", "/copied").header("x-raw", b"\xff")).await;
    // These are not copied.
    send(&web, 2, || call("POST", "web:8080", "/copied").body(vec![0; 1001])).await;
    send(&web, 1, || {
        get("web:8080", "/copied")
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
    })
    .await;
    let copies = |web: &Web| {
        web.v2
            .received()
            .iter()
            .filter(|request| is_copy(request.header("host")))
            .count()
    };
    web.v2.receives(got(&web.v2, "/canary") + 14).await;
    assert_eq!((got(&web.v1, "/copied"), copies(&web)), (17, 14));
    seen.routed("copied_post", "v1", 17);
    seen.add(
        "mirrored_total",
        &[("route", "copied_post"), ("subset", "v2"), ("destination", WEB)],
        copies(&web),
    );
    seen.add("mirrors_skipped_total", &[], 3);
    seen.add("mirror_headers_skipped_total", &[], 1);

    send(&web, 4, || get("web:8080", "/lost")).await;
    seen.routed("lost", "v1", got(&web.v1, "/lost"));
    seen.add(
        "mirrored_total",
        &[("route", "lost"), ("destination", "refused_default_svc_cluster_local")],
        4,
    );
    seen.add("mirror_failures_total", &[], 4);

    web.v2.behave(Behaviour {
        status: StatusCode::SERVICE_UNAVAILABLE,
        ..Behaviour::default()
    });
    let retried = send(&web, 5, || get("web:8080", "/retried")).await;
    assert_eq!(
        (count(&retried, |answer| answer.status == 503), got(&web.v2, "/retried")),
        (5, 15)
    );
    seen.routed("retried", "v2", 5);

    for (path, status, route) in [("/moved", 301, "moved"), ("/closed", 500, "closed")] {
        let answers = send(&web, 3, || get("web:8080", path)).await;
        assert_eq!(count(&answers, |answer| answer.status == status), 3);
        seen.add("requests_total", &[("route", route)], 3);
    }

    web.v1.behave(Behaviour {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        ..Behaviour::default()
    });
    send(&web, 7, || get("web:8080", "/real")).await;
    seen.routed("default/web http[9]", "v1", got(&web.v1, "/real"));
    web.v1.behave(Behaviour::default());

    send(&web, 2, || get("plain:8080", "/known")).await;
    seen.routed("default/plain http[0]_match[0]", "v1", got(&web.v1, "/known"));
    let unknown = send(&web, 6, || get("plain:8080", "/unknown")).await;
    seen.add("unmatched_total", &[], count(&unknown, |answer| answer.status == 404));
    // Nobody's rules: nothing of ours to count.
    send(&web, 3, || get("unheard.of", "/")).await;

    // Refused by the thread that tries it first.
    web.switchyard.push_wrong("{").await;
    seen.add("config_rejects_total", &[], 1);
    seen.add("config_loads_total", &[], 2);

    let failed = |stats: &Stats| stats.get("wasmcustom.switchyard_mirror_failures_total") == 4;
    let stats = web.switchyard.admin.until("are all copies answered", failed).await;
    let exposition = Exposition::parse(web.switchyard.admin.get("/stats/prometheus").await.text());
    let mut counted = exposition.counted("switchyard_");
    // One worker has one of the configurations in use.
    counted.retain(|(name, _), value| name != "switchyard_config_in_use" || *value != 1.0);
    assert_eq!(counted, seen.0);
    let v2 = "cluster.outbound|8080|v2|web.default.svc.cluster.local;.upstream_rq_retry";
    assert_eq!(stats.get(v2), 10);
    web.assert_unharmed().await;

    let mut log = web.switchyard.access_log("web:8080", 451).await;
    log.retain(|line| line["path"] != "/still-there");
    log.extend(web.switchyard.access_log("plain:8080", 8).await);
    assert_log(&log, &seen);
    assert_page_shows(&log);
}

/// Line by line the log says what the counters say.
fn assert_log(log: &[Value], seen: &Seen) {
    let text = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().replace('.', "_");
    let (mut logged, mut copied) = (Seen::default(), 0);
    for line in log {
        let [route, subset, fault] = ["route", "subset", "fault"].map(|name| text(line, &format!("switchyard_{name}")));
        if route.is_empty() {
            assert_eq!(
                (&line["response_code"], &line["response_flags"]),
                (&json!(404), &json!("NR")),
                "{line}"
            );
            logged.add("unmatched_total", &[], 1);
        } else if subset.is_empty() {
            logged.add("requests_total", &[("route", &route)], 1);
        } else {
            logged.routed(&route, &subset, 1);
        }
        for (name, word) in [("delays_injected_total", "delay"), ("aborts_injected_total", "abort")] {
            logged.add(
                name,
                &[("route", &route)],
                usize::from(fault.split(',').any(|fault| fault == word)),
            );
        }
        copied += usize::from(line["switchyard_mirror"] == "true");
        if line["response_code"] == 500 {
            let (details, upstream) = (text(line, "response_code_details"), line["upstream_host"].is_string());
            let injected = fault.contains("abort");
            assert_eq!(injected, details == "fault_filter_abort", "{line}");
            assert_eq!(upstream, details == "via_upstream", "{line}");
            assert_eq!(
                text(line, "path"),
                if injected {
                    "/failing"
                } else if upstream {
                    "/real"
                } else {
                    "/closed"
                }
            );
        }
    }
    // Two of them turned out to be too long.
    assert_eq!(copied, 14 + 2 + 4);
    let of_requests = [
        "requests_total",
        "unmatched_total",
        "delays_injected_total",
        "aborts_injected_total",
    ];
    let mut expected = seen.0.clone();
    expected.retain(|(name, _), _| of_requests.iter().any(|kept| name.ends_with(kept)));
    assert_eq!(logged.0, expected);
}

/// The lines that the operator's page has for examples are among those of a real run.
fn assert_page_shows(log: &[Value]) {
    let page = include_str!("../../../envoy/observability/README.md");
    let examples = page.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(examples.lines().count(), 2);
    for example in examples.lines() {
        let mut example: Map<String, Value> = serde_json::from_str(example).unwrap();
        let upstream = example.remove("upstream_host").unwrap();
        let is_like = |line: &Value| {
            line["upstream_host"].is_string() == upstream.is_string()
                && example.iter().all(|(name, value)| line[name] == *value)
        };
        assert!(log.iter().any(is_like), "{example:?}");
    }
}

#[tokio::test]
async fn without_filter_state_nothing_is_left_for_the_access_log() {
    let _turn = turn::alongside().await;
    let web = Web::with_options(json!({"filterState": false}), &[]).await;
    assert_eq!(get("web:8080", "/").send(web.address).await.status, 200);
    let log = web.switchyard.access_log("web:8080", 1).await;
    assert_eq!(log[0]["switchyard_route"], Value::Null);
    assert_eq!(log[0]["switchyard_subset"], Value::Null);
}
