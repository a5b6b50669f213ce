//! httpbin in two versions.

use std::time::Duration;

use hyper::body::Bytes;

use crate::support::http::{call, get, load};
use crate::support::scenario::Scenario;
use crate::support::turn;

const HOST: &str = "httpbin:8000";

#[tokio::test]
async fn h1_more_than_one_connection_meets_503_and_the_counter_agrees() {
    let _turn = turn::alongside().await;
    let mut httpbin = Scenario::start("httpbin", &["circuit-breaking"]).await;
    let to = httpbin.listener("client");
    let overflow = "cluster.outbound|8000||httpbin.default.svc.cluster.local;.upstream_rq_pending_overflow";
    let mut counted = httpbin.switchyard.admin.stats().await.get(overflow);
    for (senders, calls) in [(2, 20), (3, 30)] {
        // Envoy finds the first request of each connection there at once: one goes out and one waits for that, or for the connection.
        let held = httpbin.switchyard.stop_envoy();
        let release = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            drop(held);
        };
        let (answers, ()) = tokio::join!(load(to, calls, senders, || get(HOST, "/delay/0.02")), release);
        let refused = answers.iter().filter(|answer| answer.status == 503).count();
        let served = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(refused + served, calls);
        assert!(refused > 0 && served > 0, "{refused} of {calls} were refused");
        let before = counted;
        counted = httpbin.switchyard.admin.stats().await.get(overflow);
        assert_eq!(counted - before, refused as u64, "{senders} connections");
    }
    httpbin.switchyard.assert_unharmed().await;
}

#[tokio::test]
async fn h2_first_only_v1_has_the_request_and_then_both() {
    let _turn = turn::alongside().await;
    let mut httpbin = Scenario::with("httpbin", &["virtual-service-v1"], &[("httpbin-v2", "delay-ms=2000")]).await;
    let to = httpbin.listener("client");
    let ask = |id: &str| get(HOST, "/get?of=this").header("x-request-id", id);
    for _ in 0..10 {
        assert_eq!(ask("alone").send(to).await.status, 200);
    }
    assert_eq!(
        (httpbin.log("httpbin-v1").len(), httpbin.log("httpbin-v2").len()),
        (10, 0)
    );
    httpbin.apply("mirroring").await;
    for _ in 0..10 {
        let answer = ask("mirrored").send(to).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("x-served-by")),
            (200, "httpbin-v1")
        );
        assert!(answer.took < Duration::from_secs(1), "{:?}", answer.took);
    }
    let body = Bytes::from(vec![b'x'; 1 << 20]);
    let post = call("POST", HOST, "/anything")
        .header("x-request-id", "body")
        .body(body);
    assert_eq!(post.send(to).await.status, 200);
    let shadows = httpbin.log_of("httpbin-v2", 11).await;
    let requests = httpbin.log("httpbin-v1");
    assert_eq!((requests.len(), shadows.len()), (21, 11));
    for (request, shadow) in requests[10..].iter().zip(&shadows) {
        assert_eq!(shadow["host"], "httpbin-shadow:8000");
        for same in ["request_id", "method", "path", "body_length", "body_sha256"] {
            assert_eq!(request[same], shadow[same], "{same}");
        }
    }
    assert_eq!(shadows[10]["body_length"], 1 << 20);
    httpbin.switchyard.assert_unharmed().await;
}
