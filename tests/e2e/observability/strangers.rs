//! Clients that invent names.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use crate::support::exposition::{Exposition, Series};
use crate::support::http::{Call, Http2, call, get, load};
use crate::support::turn;
use crate::support::web::Web;

const RULES: [&str; 4] = [
    "{match: [{headers: {x-user: {prefix: a}}}], mirror: {host: web, subset: v2}, route: [{destination: {host: web, subset: v1}}]}",
    "{match: [{uri: {prefix: /aborted/}}], fault: {abort: {percentage: {value: 100}, httpStatus: 418}}, \
        route: [{destination: {host: web, subset: v1}}]}",
    "{match: [{uri: {prefix: /moved/}}], redirect: {authority: elsewhere}}",
    "{match: [{uri: {regex: '/r/[0-9]+'}}], rewrite: {uri: /}, headers: {request: {set: {x-was: '%REQ(:PATH)%'}}}, \
        route: [{destination: {host: web, subset: v2}}]}",
];

/// A request as nobody has sent it: by its number the host, the path or a header is another.
fn invented(number: usize) -> Call {
    let ports = 8000 + number % 1000;
    match number % 8 {
        0 => get(&format!("host-{number}.example"), "/"),
        1 => get(&format!("web.default.svc.cluster.local:{ports}"), "/"),
        2 => get("web:8080", &format!("/path-{number}?query={number}")),
        3 => get("web:8080", "/").header("x-user", format!("a{number}")),
        4 => get("web:8080", &format!("/aborted/{number}")).header("x-envoy-decorator-operation", format!("o{number}")),
        5 => get("web:8080", &format!("/moved/{number}")),
        6 => get("web:8080", &format!("/r/{number}")).header("user-agent", format!("agent {number}")),
        _ => call("POST", "web:8080", "/")
            .header(&format!("x-name-{number}"), b"\xff")
            .header("cookie", format!("session={number}")),
    }
}

async fn all_series(web: &Web) -> BTreeSet<Series> {
    let answer = web.switchyard.admin.get("/stats/prometheus").await;
    Exposition::parse(answer.text()).0.into_keys().collect()
}

#[tokio::test]
async fn ten_thousand_invented_hosts_paths_and_headers_make_no_series() {
    let _turn = turn::alongside().await;
    let mut web = Web::with_options(json!({"explainHeader": "x-explain"}), &RULES).await;
    let number = Cell::new(0);
    let next = || invented(number.replace(number.get() + 1));
    // Each kind once is what the configuration can bring about.
    load(web.address, 16, 1, next).await;
    let http2 = Http2::open(web.address).await;
    http2.send(get("host.example", "/")).await.unwrap();
    web.v2.receives(4).await;
    // Envoy gathers histograms from its workers every 5 s.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let before = all_series(&web).await;
    load(web.address, 10_000, 8, next).await;
    for number in 0..100 {
        http2.send(invented(number)).await.unwrap();
    }
    let after = all_series(&web).await;
    let new: Vec<&Series> = after.difference(&before).collect();
    assert!(new.is_empty(), "{new:#?}");
    assert_eq!(number.get(), 10_016);
    println!("{} series before and after", after.len());
    web.assert_unharmed().await;
}
