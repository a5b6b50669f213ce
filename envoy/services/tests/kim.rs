//! The payment system and the shop: what each version answers, and what becomes of slow callees.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod bench;

use std::time::Instant;

use bench::Bench;

async fn kim(test: &str, gateway: &str, payment: &str, uc: &str) -> Bench {
    let specs = [
        &format!("name=kim-gateway{gateway}"),
        &format!("name=kim-payment-service{payment}"),
        "name=kim-payment-service,version=v2",
        &format!("name=kim-uc-service{uc}"),
        "name=kim-auth-service",
    ];
    let bench = Bench::start(test, &specs).await;
    bench.route("kim-payment-service:8080", "kim-payment-service-v1");
    bench.route("kim-uc-service:8080", "kim-uc-service-v1");
    bench
}

#[tokio::test]
async fn payment_greets_the_user_and_v2_knows_the_mail() {
    let bench = kim("payment", "", "", "").await;
    let answers = [
        ("kim-payment-service-v1", "Hello v1, cheng!, id: 1 "),
        ("kim-payment-service-v2", "Hello v2, cheng!, id: 1 email: cheng@163.com"),
    ];
    for (id, data) in answers {
        bench.route("kim-payment-service:8080", id);
        let answer = bench
            .get_with(
                "kim-gateway-v1",
                "/payment/balance/query?id=1",
                &[("x-request-id", "r")],
            )
            .await;
        assert_eq!((answer.status, answer.header("x-served-by")), (200, id));
        let expected = format!(r#"{{"requestId":"r","code":200,"message":null,"data":"{data}"}}"#);
        assert_eq!(answer.text(), expected);
        assert_eq!(bench.log(id)[0]["path"], "/balance/query?id=1");
    }
    assert_eq!(bench.log("kim-uc-service-v1")[0]["path"], "/user/login/cheng");
}

#[tokio::test]
async fn payment_falls_back_after_one_second_of_a_slow_uc() {
    let bench = kim("fallback", "", "", ",delay-ms=60000").await;
    let begin = Instant::now();
    let answer = bench.get("kim-gateway-v1", "/payment/balance/query").await;
    assert!(
        (1000..2000).contains(&begin.elapsed().as_millis()),
        "{:?}",
        begin.elapsed()
    );
    assert_eq!((answer.status, answer.json()["code"].clone()), (200, 200.into()));
    assert_eq!(answer.json()["data"], "Hello v1, fallback!");
}

#[tokio::test]
async fn payment_falls_back_at_once_when_uc_fails() {
    let bench = kim("fallback-at-once", "", "", ",status=503").await;
    let begin = Instant::now();
    let answer = bench.get("kim-payment-service-v2", "/balance/query").await;
    assert!(begin.elapsed().as_millis() < 900, "{:?}", begin.elapsed());
    assert_eq!(
        (answer.status, answer.json()["message"].clone()),
        (200, "kim-uc-service: status 503".into())
    );
}

#[tokio::test]
async fn the_gateway_relays_errors_and_ends_its_own_wait_with_an_own_error() {
    let bench = kim("gateway", ",timeout-ms=300", ",status=500", "").await;
    let answer = bench.get("kim-gateway-v1", "/payment/balance/query").await;
    assert_eq!(
        (answer.status, answer.header("x-served-by")),
        (500, "kim-payment-service-v1")
    );
    let bench = kim("gateway-slow", ",timeout-ms=300", ",delay-ms=60000", "").await;
    let begin = Instant::now();
    let answer = bench.get("kim-gateway-v1", "/payment/balance/query").await;
    assert!(
        (300..1500).contains(&begin.elapsed().as_millis()),
        "{:?}",
        begin.elapsed()
    );
    assert_eq!((answer.status, answer.header("x-served-by")), (504, "kim-gateway-v1"));
    assert_eq!(answer.json()["message"], "kim-payment-service: no answer within 300ms");
}

#[tokio::test]
async fn every_token_passes() {
    let bench = kim("auth", "", "", "").await;
    assert_eq!(
        bench.get("kim-auth-service-v1", "/token/check").await.json()["valid"],
        true
    );
}

#[tokio::test]
async fn only_catalog_v2_has_pictures() {
    let bench = Bench::start("catalog", &["name=webapp", "name=catalog", "name=catalog,version=v2"]).await;
    for (id, pictures) in [("catalog-v1", false), ("catalog-v2", true)] {
        bench.route("catalog:80", id);
        let answer = bench
            .get_with("webapp-v1", "/api/catalog", &[("x-dark-launch", "v2")])
            .await;
        assert_eq!((answer.status, answer.header("x-served-by")), (200, id));
        let items = answer.json();
        assert!(!items.as_array().unwrap().is_empty());
        for item in items.as_array().unwrap() {
            assert_eq!(item.get("imageUrl").is_some(), pictures);
            assert!(
                ["id", "color", "department", "name", "price"]
                    .iter()
                    .all(|key| item.get(key).is_some()),
                "{item}"
            );
        }
        assert_eq!(bench.log(id)[0]["headers"]["x-dark-launch"], "v2");
    }
}

#[tokio::test]
async fn webapp_relays_errors_and_has_its_own_when_nothing_listens() {
    let bench = Bench::start("no-catalog", &["name=webapp"]).await;
    let answer = bench.get("webapp-v1", "/api/catalog").await;
    assert_eq!((answer.status, answer.text()), (503, "no healthy upstream"));
    let alone = "name=webapp,listen=127.0.0.1:0,via=127.0.0.1:1".parse().unwrap();
    let log = sample_services::Log::new(Some(env!("CARGO_TARGET_TMPDIR").into()), false).unwrap();
    let (_, address) = sample_services::start(vec![alone], &log).await.unwrap().remove(0);
    let request = axum::http::Request::get(format!("http://{address}/api/catalog"));
    let answer = bench.send(request.body(axum::body::Body::empty()).unwrap()).await;
    assert_eq!((answer.status, answer.header("x-served-by")), (502, "webapp-v1"));
}
