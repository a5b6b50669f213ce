//! What all services do alike: the log, the test controls.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod bench;

use std::time::{Duration, Instant};

use bench::Bench;
use serde_json::json;

#[tokio::test]
async fn a_request_is_one_log_line() {
    let bench = Bench::start("log", &["name=ratings,id=ratings-east"]).await;
    let headers = [
        ("host", "ratings:9080"),
        ("x-request-id", "r-1"),
        ("x-twice", "1"),
        ("x-twice", "2"),
    ];
    let answer = bench.get_with("ratings-east", "/ratings/7?a=b", &headers).await;
    assert_eq!(answer.header("x-served-by"), "ratings-east");
    let log = bench.log("ratings-east");
    assert_eq!(log.len(), 1);
    let mut line = log[0].clone();
    let time = line["time"].take();
    assert!(
        humantime::parse_rfc3339(time.as_str().unwrap())
            .unwrap()
            .elapsed()
            .unwrap()
            < Duration::from_secs(5)
    );
    assert!(line["duration_ms"].take().as_u64().unwrap() < 1000);
    let expected = json!({
        "time": null, "id": "ratings-east", "service": "ratings", "version": "v1", "method": "GET",
        "path": "/ratings/7?a=b", "host": "ratings:9080", "status": 200, "duration_ms": null,
        "request_id": "r-1", "body_length": 0,
        "headers": { "host": "ratings:9080", "x-request-id": "r-1", "x-twice": "1,2" },
    });
    assert_eq!(line, expected);
}

#[tokio::test]
async fn a_caller_that_leaves_is_logged_without_a_status() {
    let bench = Bench::start("left", &["name=ratings,delay-ms=60000"]).await;
    let call = bench.get("ratings-v1", "/ratings/0");
    assert!(tokio::time::timeout(Duration::from_millis(200), call).await.is_err());
    let log = bench.log_of("ratings-v1", 1).await;
    assert!(log.len() == 1 && log[0]["status"].is_null(), "{log:?}");
}

#[tokio::test]
async fn headers_ask_for_delay_status_and_length() {
    let bench = Bench::start("controls", &["name=details"]).await;
    let get = async |name, value| bench.get_with("details-v1", "/details/0", &[(name, value)]).await;
    assert_eq!(get("x-echo-status", "418").await.status, 418);
    let answer = get("x-echo-bytes", "100000").await;
    assert_eq!((answer.status, answer.body.len()), (200, 100_000));
    let begin = Instant::now();
    let answer = get("x-echo-delay-ms", "300").await;
    assert!(
        (300..1500).contains(&begin.elapsed().as_millis()),
        "{:?}",
        begin.elapsed()
    );
    assert_eq!(
        (answer.status, answer.json()["pages"].clone()),
        (200, 200.into()),
        "late, but the service's own answer"
    );
    let wrong = [
        ("x-echo-status", "100"),
        ("x-echo-status", "x"),
        ("x-echo-delay-ms", "60001"),
        ("x-echo-bytes", "-1"),
    ];
    for (name, value) in wrong {
        assert_eq!(get(name, value).await.status, 400, "{name}: {value}");
    }
}

#[tokio::test]
async fn an_instance_can_be_slow_fail_and_answer_at_length_by_itself() {
    let slow = "name=httpbin,version=v2,delay-ms=300,status=503,bytes=3000000";
    let bench = Bench::start("instance", &["name=httpbin", slow]).await;
    let begin = Instant::now();
    let answer = bench.get("httpbin-v2", "/get").await;
    assert!(begin.elapsed() >= Duration::from_millis(300));
    assert_eq!(
        (answer.status, answer.body.len(), answer.header("x-served-by")),
        (503, 3_000_000, "httpbin-v2")
    );
    assert_eq!(bench.log("httpbin-v2")[0]["status"], 503);
    assert_eq!(bench.get("httpbin-v1", "/get").await.status, 200);
}

#[tokio::test]
async fn an_id_used_twice_or_an_address_in_use_starts_nothing() {
    let log = sample_services::Log::new(None, false).unwrap();
    let start = async |specs: &[String]| {
        let instances = specs.iter().map(|spec| spec.parse().unwrap()).collect();
        sample_services::start(instances, &log).await.unwrap_err().to_string()
    };
    let twice = [
        "name=ratings,listen=127.0.0.1:0".to_owned(),
        "name=ratings,listen=127.0.0.1:0".to_owned(),
    ];
    assert_eq!(start(&twice).await, "ratings-v1: the id is used twice; set id=");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let in_use = start(&[format!("name=ratings,listen={address}")]).await;
    assert!(
        in_use.starts_with("ratings-v1: ") && in_use.contains("in use"),
        "{in_use}"
    );
}
