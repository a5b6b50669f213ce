//! The payment system: where its requests go, and what faults do to them.

use std::time::Duration;

use crate::support::chance::may_be_chance;
use crate::support::http::{Answer, Call, get, load};
use crate::support::scenario::{Scenario, manifest};
use crate::support::turn;

fn balance() -> Call {
    get("kim", "/payment/balance/query?id=1")
}

fn cheng() -> Call {
    balance().header("end-user", "cheng")
}

fn greeting(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["data"].as_str().unwrap().to_owned()
}

const V1: &str = "Hello v1, cheng!, id: 1 ";
const V2: &str = "Hello v2, cheng!, id: 1 email: cheng@163.com";
const AT_ONCE: Duration = Duration::from_secs(1);

#[tokio::test]
async fn k0_without_rules_envoy_spreads_requests_over_both_versions() {
    let _turn = turn::alongside().await;
    let mut kim = Scenario::start("kim", &[]).await;
    let answers = load(kim.service("kim-gateway-v1"), 200, 2, balance).await;
    let v1 = answers.iter().filter(|answer| greeting(answer) == V1).count();
    let v2 = answers.iter().filter(|answer| greeting(answer) == V2).count();
    assert_eq!(v1 + v2, 200);
    assert!(may_be_chance(v1, 200, 0.5), "{v1} of 200 reached v1");
    let stats = kim.switchyard.admin.stats().await;
    let balanced = "cluster.outbound|8080||kim-payment-service.default.svc.cluster.local;.upstream_rq_total";
    assert_eq!(stats.get(balanced), 200);
    kim.switchyard.assert_unharmed().await;
}

#[tokio::test]
async fn k1_every_payment_reaches_v1() {
    let _turn = turn::alongside().await;
    let mut kim = Scenario::start("kim", &["destination-rule-all", "virtual-service-all-v1"]).await;
    for answer in load(kim.service("kim-gateway-v1"), 100, 2, balance).await {
        assert_eq!(greeting(&answer), V1);
    }
    assert_eq!(kim.log("kim-payment-service-v1").len(), 100);
    assert_eq!(kim.log("kim-payment-service-v2").len(), 0);
    kim.switchyard.assert_unharmed().await;
}

#[tokio::test]
async fn k2_only_cheng_reaches_v2() {
    let _turn = turn::alongside().await;
    let mut kim = Scenario::start("kim", &["destination-rule-all", "vs-cheng-v2"]).await;
    let gateway = kim.service("kim-gateway-v1");
    for _ in 0..20 {
        assert_eq!(greeting(&cheng().send(gateway).await), V2);
        assert_eq!(greeting(&balance().header("end-user", "jim").send(gateway).await), V1);
        assert_eq!(greeting(&balance().send(gateway).await), V1);
    }
    kim.switchyard.assert_unharmed().await;
}

#[tokio::test]
async fn k3_cheng_waits_seven_seconds_and_still_gets_200() {
    let _turn = turn::alongside().await;
    let mut kim = Scenario::start("kim", &["destination-rule-all", "vs-cheng-delay"]).await;
    let gateway = kim.service("kim-gateway-v1");
    let waiting = tokio::spawn(cheng().send(gateway));
    for _ in 0..20 {
        for call in [balance(), balance().header("end-user", "jim")] {
            let answer = call.send(gateway).await;
            assert_eq!(greeting(&answer), V1);
            assert!(answer.took < AT_ONCE, "{:?}", answer.took);
        }
    }
    let answer = waiting.await.unwrap();
    assert_eq!(greeting(&answer), V1);
    assert!((6.99..8.0).contains(&answer.took.as_secs_f64()), "{:?}", answer.took);
    kim.switchyard.assert_unharmed().await;
}

#[tokio::test]
async fn k3_of_a_caller_that_gives_up_envoy_loses_nothing() {
    let _turn = turn::alongside().await;
    let mut kim = Scenario::start("kim", &["destination-rule-all"]).await;
    let slower = manifest("kim", "vs-cheng-delay").replace("7s", "10s");
    kim.switchyard.apply(&slower).await;
    let gateway = kim.service("kim-gateway-v1");
    let answer = cheng().send(gateway).await;
    // The gateway's own read time-out, and its own error.
    assert_eq!(
        (answer.status.as_u16(), answer.header("x-served-by")),
        (504, "kim-gateway-v1")
    );
    assert!((7.0..10.0).contains(&answer.took.as_secs_f64()), "{:?}", answer.took);
    assert!(kim.log("kim-payment-service-v1").is_empty());
    assert_eq!(greeting(&balance().send(gateway).await), V1);
    kim.switchyard.assert_unharmed().await;
}

#[tokio::test]
async fn k4_cheng_gets_500_at_once_and_the_upstream_sees_nothing() {
    let _turn = turn::alongside().await;
    let mut kim = Scenario::start("kim", &["destination-rule-all", "vs-cheng-abort"]).await;
    let gateway = kim.service("kim-gateway-v1");
    for _ in 0..10 {
        let answer = cheng().send(gateway).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (500, "fault filter abort"));
        assert!(answer.took < AT_ONCE, "{:?}", answer.took);
        assert_eq!(greeting(&balance().header("end-user", "jim").send(gateway).await), V1);
    }
    let log = kim.log("kim-payment-service-v1");
    assert_eq!(log.len(), 10);
    assert!(log.iter().all(|line| line["headers"]["end-user"] == "jim"), "{log:#?}");
    assert_eq!(kim.log("kim-payment-service-v2").len(), 0);
    kim.switchyard.assert_unharmed().await;
}

#[tokio::test]
async fn k5_half_of_the_payments_reach_v2() {
    let _turn = turn::alongside().await;
    let mut kim = Scenario::start("kim", &["destination-rule-all", "vs-weight"]).await;
    let answers = load(kim.service("kim-gateway-v1"), 2000, 8, balance).await;
    let v2 = answers.iter().filter(|answer| greeting(answer) == V2).count();
    let v1 = answers.iter().filter(|answer| greeting(answer) == V1).count();
    assert_eq!(v1 + v2, 2000);
    assert!(may_be_chance(v2, 2000, 0.5), "{v2} of 2000 reached v2");
    kim.switchyard.assert_unharmed().await;
}

#[tokio::test]
async fn k6_payment_is_given_up_after_half_a_second() {
    let _turn = turn::alongside().await;
    let mut kim = Scenario::start("kim", &["destination-rule-all", "vs-uc-delay", "vs-timeout"]).await;
    for _ in 0..3 {
        let answer = balance().send(kim.service("kim-gateway-v1")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.text()),
            (504, "upstream request timeout")
        );
        assert!((0.49..1.0).contains(&answer.took.as_secs_f64()), "{:?}", answer.took);
    }
    let log = kim.switchyard.access_log("kim-payment-service:8080", 3).await;
    let flags: Vec<_> = log.iter().map(|line| &line["response_flags"]).collect();
    assert_eq!(flags, ["UT", "UT", "UT"]);
    kim.switchyard.assert_unharmed().await;
}
