//! Configurations that come while requests are under way, and wrong ones.

use std::time::Duration;

use tokio::task::JoinSet;

use super::ACTIVE_FAULTS;
use crate::support::admin::Stats;
use crate::support::http::{call, get};
use crate::support::manifest::virtual_service;
use crate::support::turn;
use crate::support::upstream::Behaviour;
use crate::support::web::{TO_V1, Web};

#[tokio::test]
async fn a_new_configuration_lets_delays_and_shadows_under_way_finish() {
    let _turn = turn::alongside().await;
    let delayed = "{match: [{uri: {exact: /delayed}}], fault: {delay: {percentage: {value: 100}, fixedDelay: 2s}}, \
        mirror: {host: web, subset: v2}, route: [{destination: {host: web, subset: v1}}]}";
    let aborted = "{match: [{uri: {exact: /aborted}}], fault: {delay: {percentage: {value: 100}, fixedDelay: 2s}, \
        abort: {percentage: {value: 100}, httpStatus: 418}}, route: [{destination: {host: web, subset: v1}}]}";
    let mirrored = "{match: [{uri: {exact: /mirrored}}], mirror: {host: web, subset: v2}, \
        route: [{destination: {host: web, subset: v1}}]}";
    let mut web = Web::with(&[delayed, aborted, mirrored]).await;
    let slow = Behaviour {
        delay: Duration::from_secs(3),
        ..Behaviour::default()
    };
    web.v2.behave(slow);
    let address = web.address;
    let mut waiting = JoinSet::new();
    for _ in 0..20 {
        waiting.spawn(async move {
            (
                200,
                call("POST", "web:8080", "/delayed").body("body").send(address).await,
            )
        });
        waiting.spawn(async move { (418, get("web:8080", "/aborted").send(address).await) });
        assert_eq!(get("web:8080", "/mirrored").send(address).await.status, 200);
    }
    let all_wait = |stats: &Stats| stats.get(ACTIVE_FAULTS) == 40;
    web.switchyard.admin.until("do 40 wait", all_wait).await;
    // Twice: the first one's root context is asked to go while the one before it still waits.
    for _ in 0..2 {
        web.switchyard
            .apply(&virtual_service("web", &["{directResponse: {status: 203}}"]))
            .await;
        assert_eq!(get("web:8080", "/delayed").send(address).await.status, 203);
        web.switchyard.apply(&virtual_service("web", &[TO_V1])).await;
        assert_eq!(get("web:8080", "/delayed").send(address).await.status, 200);
    }
    while let Some(answer) = waiting.join_next().await {
        let (status, answer) = answer.unwrap();
        assert_eq!(answer.status, status);
        assert!((1.99..3.0).contains(&answer.took.as_secs_f64()), "{:?}", answer.took);
    }
    // Every copy arrived, those of requests that waited through the change too, and was heard to its end.
    let copies = web.v2.receives(40).await;
    assert_eq!(copies.iter().filter(|copy| copy.body == "body").count(), 20);
    let v2 = "cluster.outbound|8080|v2|web.default.svc.cluster.local;.";
    let stats = web.switchyard.admin.until("are all copies answered", |stats| {
        stats.get(&format!("{v2}internal.upstream_rq_200")) == 40
    });
    let stats = stats.await;
    assert_eq!(stats.get(&format!("{v2}upstream_cx_destroy_local_with_active_rq")), 0);
    assert_eq!(stats.get("wasmcustom.switchyard_mirror_failures_total"), 0);
    web.assert_unharmed().await;
}

#[tokio::test]
async fn a_wrong_configuration_leaves_the_old_one_in_place() {
    let _turn = turn::alongside().await;
    let delayed = "{match: [{uri: {exact: /delayed}}], fault: {delay: {percentage: {value: 100}, fixedDelay: 1s}}, \
        route: [{destination: {host: web, subset: v2}}]}";
    let mut web = Web::with(&[delayed]).await;
    let waiting = tokio::spawn(get("web:8080", "/delayed").send(web.address));
    let one_waits = |stats: &Stats| stats.get(ACTIVE_FAULTS) == 1;
    web.switchyard.admin.until("does one wait", one_waits).await;
    for wrong in [
        "",
        "{",
        "[]",
        "{\"resources\": [{\"kind\": 7}]}",
        "{\"proxy\": \"\\u0000\"}",
        "\u{feff}null",
    ] {
        web.switchyard.push_wrong(wrong).await;
        assert_eq!(get("web:8080", "/").send(web.address).await.status, 200, "{wrong}");
    }
    assert_eq!(waiting.await.unwrap().status, 200);
    assert_eq!(web.v2.received().len(), 1);
    // It still takes a right one.
    web.switchyard
        .apply(&virtual_service(
            "web",
            &["{match: [{uri: {exact: /still-there}}], route: [{destination: {host: web, subset: v2}}]}"],
        ))
        .await;
    web.assert_unharmed().await;
    assert_eq!(web.v2.received().len(), 2);
}
