//! Circuit breaking and outlier ejection of the payment service.

use std::time::Duration;

use crate::support::http::{Call, get, load};
use crate::support::scenario::Scenario;
use crate::support::turn;

/// As its caller sends it, slow enough to meet others.
fn payment() -> Call {
    get("kim-payment-service:8080", "/balance/query").header("x-echo-delay-ms", "20")
}

/// One connection is served; of three some requests are turned away, and Envoy counts as many.
async fn breaks(kim: &Scenario, cluster: &str) {
    let to = kim.listener("kim-gateway");
    let overflow = format!("cluster.{cluster};.upstream_rq_pending_overflow");
    for answer in load(to, 20, 1, payment).await {
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!(kim.switchyard.admin.stats().await.get(&overflow), 0);
    let answers = load(to, 30, 3, payment).await;
    let refused = answers.iter().filter(|answer| answer.status == 503).count();
    let served = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(refused + served, 30);
    assert!(refused > 0 && served > 0, "{refused} of 30 were refused");
    assert_eq!(kim.switchyard.admin.stats().await.get(&overflow), refused as u64);
    let log = kim.switchyard.access_log("kim-payment-service:8080", 50).await;
    assert_eq!(
        log.iter().filter(|line| line["response_flags"] == "UO").count(),
        refused
    );
}

#[tokio::test]
async fn k7_a_third_connection_overflows_the_base_cluster() {
    let _turn = turn::alongside().await;
    let mut kim = Scenario::start("kim", &["circuit-breaking"]).await;
    breaks(&kim, "outbound|8080||kim-payment-service.default.svc.cluster.local").await;
    kim.switchyard.assert_unharmed().await;
}

#[tokio::test]
async fn k7_a_third_connection_overflows_a_subset_and_an_error_ejects_its_endpoint() {
    let _turn = turn::alongside().await;
    let rules = ["destination-rule-all", "circuit-breaking", "virtual-service-all-v1"];
    let mut kim = Scenario::start("kim", &rules).await;
    let cluster = "outbound|8080|v1|kim-payment-service.default.svc.cluster.local";
    breaks(&kim, cluster).await;

    let to = kim.listener("kim-gateway");
    let failed = payment().header("x-echo-status", "502").send(to).await;
    assert_eq!(
        (failed.status.as_u16(), failed.header("x-served-by")),
        (502, "kim-payment-service-v1")
    );
    let ejections = format!("cluster.{cluster};.outlier_detection.ejections_active");
    kim.switchyard
        .admin
        .until("is it ejected", |stats| stats.get(&ejections) == 1)
        .await;
    for _ in 0..5 {
        let answer = payment().send(to).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (503, "no healthy upstream"));
        assert!(answer.took < Duration::from_millis(500), "{:?}", answer.took);
    }
    kim.switchyard.assert_unharmed().await;
}
