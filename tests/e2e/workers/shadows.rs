//! Copies that fail.

use std::time::Duration;

use hyper::StatusCode;
use hyper::body::Bytes;

use crate::support::admin::Stats;
use crate::support::http::{call, get};
use crate::support::turn;
use crate::support::upstream::Behaviour;
use crate::support::web::Web;

const MIRROR_FAILURES: &str = "wasmcustom.switchyard_mirror_failures_total";

#[tokio::test]
async fn a_failed_callout_is_counted_and_no_more() {
    let _turn = turn::alongside().await;
    let mirror_to = |path: &str, destination: &str| {
        format!(
            "{{match: [{{uri: {{exact: {path}}}}}], timeout: 0.5s, mirror: {destination}, \
                route: [{{destination: {{host: web, subset: v1}}}}]}}"
        )
    };
    let rules = [
        mirror_to("/to-v2", "{host: web, subset: v2}"),
        mirror_to("/refused", "{host: refused, port: {number: 8080}}"),
        mirror_to("/empty", "{host: empty, port: {number: 8080}}"),
        mirror_to("/unknown-subset", "{host: web, subset: v9}"),
        mirror_to("/unknown-host", "{host: nowhere}"),
    ];
    let mut web = Web::with(&rules.each_ref().map(String::as_str)).await;
    let ways = [
        ("/refused", Behaviour::default()),
        ("/empty", Behaviour::default()),
        ("/unknown-subset", Behaviour::default()),
        ("/unknown-host", Behaviour::default()),
        (
            "/to-v2",
            Behaviour {
                hangs_up: true,
                ..Behaviour::default()
            },
        ),
        (
            "/to-v2",
            Behaviour {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                ..Behaviour::default()
            },
        ),
        (
            "/to-v2",
            Behaviour {
                delay: Duration::from_secs(2),
                ..Behaviour::default()
            },
        ),
    ];
    for (path, behaviour) in ways {
        web.v2.behave(behaviour);
        let before = web.switchyard.admin.stats().await.get(MIRROR_FAILURES);
        for body in ["", "a body"] {
            let answer = call("POST", "web:8080", path).body(body).send(web.address).await;
            assert_eq!((answer.status.as_u16(), answer.text()), (200, "upstream"), "{path}");
        }
        let both_failed = |stats: &Stats| stats.get(MIRROR_FAILURES) == before + 2;
        web.switchyard
            .admin
            .until(&format!("are both counted: {path}"), both_failed)
            .await;
    }
    web.assert_unharmed().await;
}

#[tokio::test]
async fn an_answer_of_40_megabytes_to_a_shadow_is_thrown_away() {
    let _turn = turn::alongside().await;
    let mirrored = "{match: [{uri: {exact: /mirrored}}], mirror: {host: web, subset: v2}, \
        route: [{destination: {host: web, subset: v1}}]}";
    let mut web = Web::with(&[mirrored]).await;
    let body = Bytes::from(vec![b'x'; 40 << 20]);
    web.v2.behave(Behaviour {
        body,
        ..Behaviour::default()
    });
    for expected in 1..=3 {
        let answer = get("web:8080", "/mirrored").send(web.address).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (200, "upstream"));
        let failed = |stats: &Stats| stats.get(MIRROR_FAILURES) == expected;
        web.switchyard.admin.until("is it counted", failed).await;
    }
    assert_eq!(web.v2.received().len(), 3);
    web.assert_unharmed().await;
}
