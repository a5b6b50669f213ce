//! Shadows of payments.

use std::time::Duration;

use hyper::body::Bytes;
use serde_json::Value;

use crate::support::http::{Call, call, get, load};
use crate::support::scenario::Scenario;
use crate::support::turn;

const RULES: [&str; 2] = ["destination-rule-all", "mirroring"];
const LIMIT: usize = 1 << 20;

#[tokio::test]
async fn k8_v1_answers_and_v2_gets_the_same_request() {
    let _turn = turn::alongside().await;
    let mut kim = Scenario::start("kim", &RULES).await;
    let ids = (0..20).map(|id| format!("request-{id}"));
    for id in ids.clone() {
        let call = get("kim", "/payment/balance/query?id=1").header("x-request-id", &id);
        let answer = call
            .header("end-user", "cheng")
            .send(kim.service("kim-gateway-v1"))
            .await;
        assert_eq!(answer.json()["data"], "Hello v1, cheng!, id: 1 ");
    }
    let shadows = kim.log_of("kim-payment-service-v2", 20).await;
    let requests = kim.log("kim-payment-service-v1");
    assert_eq!((requests.len(), shadows.len()), (20, 20));
    for id in ids {
        let of = |log: &[Value]| log.iter().find(|line| line["request_id"] == *id).cloned().unwrap();
        let (request, shadow) = (of(&requests), of(&shadows));
        for same in ["method", "path", "body_length"] {
            assert_eq!(request[same], shadow[same]);
        }
        assert_eq!(request["headers"]["end-user"], shadow["headers"]["end-user"]);
        assert_eq!(request["host"], "kim-payment-service:8080");
        assert_eq!(shadow["host"], "kim-payment-service-shadow:8080");
    }
    kim.switchyard.assert_unharmed().await;
}

#[tokio::test]
async fn k8_the_client_never_waits_for_the_shadow() {
    let _turn = turn::alongside().await;
    let mut kim = Scenario::with("kim", &RULES, &[("kim-payment-service-v2", "delay-ms=2000")]).await;
    let balance = || get("kim", "/payment/balance/query");
    let answers = load(kim.service("kim-gateway-v1"), 20, 2, balance).await;
    for answer in answers {
        assert_eq!(answer.json()["data"], "Hello v1, cheng!, id: 1 ");
        assert!(answer.took < Duration::from_millis(1000), "{:?}", answer.took);
    }
    let shadows = kim.log_of("kim-payment-service-v2", 20).await;
    assert!(
        shadows
            .iter()
            .all(|line| line["status"] == 200 && line["duration_ms"].as_u64() >= Some(2000))
    );
    kim.switchyard.assert_unharmed().await;
}

#[tokio::test]
async fn k8_bodies_up_to_a_mebibyte_arrive_whole() {
    let _turn = turn::alongside().await;
    let mut kim = Scenario::start("kim", &RULES).await;
    let bodies: Vec<Bytes> = [0, 1, 1000, 65_536, 300_000, LIMIT].map(noise).into();
    for (id, body) in bodies.iter().enumerate() {
        let whole = post(&format!("whole-{id}")).body(body.clone());
        let pieces = body.chunks(10_000).map(Bytes::copy_from_slice).collect();
        let pieces = post(&format!("pieces-{id}")).pieces(pieces);
        for call in [whole, pieces] {
            let answer = call.send(kim.listener("kim-gateway")).await;
            assert_eq!(
                (answer.status.as_u16(), answer.header("x-served-by")),
                (200, "kim-payment-service-v1")
            );
        }
    }
    let shadows = kim.log_of("kim-payment-service-v2", 12).await;
    for request in kim.log("kim-payment-service-v1") {
        let shadow = shadows
            .iter()
            .find(|line| line["request_id"] == request["request_id"])
            .unwrap();
        assert_eq!(request["body_length"], shadow["body_length"]);
        assert_eq!(request["body_sha256"], shadow["body_sha256"]);
    }
    let longest = shadows.iter().map(|line| line["body_length"].as_u64().unwrap()).max();
    assert_eq!(longest, Some(LIMIT as u64));
    assert_eq!(
        kim.switchyard
            .admin
            .stats()
            .await
            .get("wasmcustom.switchyard_mirrors_skipped_total"),
        0
    );
    kim.switchyard.assert_unharmed().await;
}

#[tokio::test]
async fn k8_of_a_longer_body_there_is_no_shadow_and_the_request_is_untouched() {
    let _turn = turn::alongside().await;
    let mut kim = Scenario::start("kim", &RULES).await;
    let bodies = [LIMIT + 1, 5 * LIMIT].map(noise);
    for (id, body) in bodies.iter().enumerate() {
        let whole = post(&format!("whole-{id}")).body(body.clone());
        let pieces = body.chunks(100_000).map(Bytes::copy_from_slice).collect();
        let pieces = post(&format!("pieces-{id}")).pieces(pieces);
        for call in [whole, pieces] {
            let answer = call.send(kim.listener("kim-gateway")).await;
            assert_eq!(
                (answer.status.as_u16(), answer.header("x-served-by")),
                (200, "kim-payment-service-v1")
            );
        }
    }
    // One that is short enough comes after them, so theirs would have come.
    post("last").send(kim.listener("kim-gateway")).await;
    let shadows = kim.log_of("kim-payment-service-v2", 1).await;
    assert_eq!(shadows[0]["request_id"], "last", "{shadows:#?}");
    let lengths: Vec<u64> = kim
        .log("kim-payment-service-v1")
        .iter()
        .map(|line| line["body_length"].as_u64().unwrap())
        .collect();
    let long = |body: &Bytes| body.len() as u64;
    assert_eq!(
        lengths,
        [
            long(&bodies[0]),
            long(&bodies[0]),
            long(&bodies[1]),
            long(&bodies[1]),
            0
        ]
    );
    assert_eq!(
        kim.switchyard
            .admin
            .stats()
            .await
            .get("wasmcustom.switchyard_mirrors_skipped_total"),
        4
    );
    kim.switchyard.assert_unharmed().await;
}

fn post(id: &str) -> Call {
    call("POST", "kim-payment-service:8080", "/balance/query")
        .header("x-request-id", id)
        .header("x-echo-status", "200")
}

/// Bytes that differ from one place to the next.
fn noise(length: usize) -> Bytes {
    (0..length).map(|at| (at * 31 + at / 251) as u8).collect()
}
