//! httpbin: requests played back, and answers to order.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod bench;

use std::time::Instant;

use axum::{
    body::Body,
    http::{HeaderValue, Method},
};
use bench::{Bench, Reply};
use serde_json::json;

async fn httpbin(test: &str) -> Bench {
    Bench::start(test, &["name=httpbin"]).await
}

async fn post(bench: &Bench, path: &str, content_type: &str, body: impl Into<Body>) -> Reply {
    let request = bench
        .request("httpbin-v1", path)
        .method(Method::POST)
        .header("content-type", content_type);
    bench.send(request.body(body.into()).unwrap()).await
}

#[tokio::test]
async fn get_and_headers_play_the_request_back() {
    let bench = httpbin("get").await;
    let answer = bench
        .get_with("httpbin-v1", "/get?a=1&a=2&b=x%20y", &[("x-one-two", "3")])
        .await
        .json();
    assert_eq!(answer["args"], json!({ "a": ["1", "2"], "b": "x y" }));
    assert_eq!(
        (&answer["headers"]["X-One-Two"], &answer["origin"]),
        (&json!("3"), &json!("127.0.0.1"))
    );
    let url = answer["url"].as_str().unwrap();
    assert!(
        url.starts_with("http://127.0.0.1:") && url.ends_with("/get?a=1&a=2&b=x%20y"),
        "{url}"
    );
    let request = bench
        .request("httpbin-v1", "/headers")
        .header("x-raw", HeaderValue::from_bytes(b"\xff\xfe").unwrap());
    let answer = bench.send(request.body(Body::empty()).unwrap()).await.json();
    assert_eq!(answer["headers"]["X-Raw"], "\u{ff}\u{fe}");
    assert_eq!(post(&bench, "/get", "text/plain", "").await.status, 405);
}

#[tokio::test]
async fn anything_takes_any_method_path_and_body() {
    let bench = httpbin("anything").await;
    let answer = post(&bench, "/anything/a/b?c=d", "application/json", r#"{"e":[1]}"#)
        .await
        .json();
    assert_eq!(
        (&answer["method"], &answer["args"]),
        (&json!("POST"), &json!({ "c": "d" }))
    );
    assert_eq!(
        (&answer["json"], &answer["data"]),
        (&json!({ "e": [1] }), &json!(r#"{"e":[1]}"#))
    );
    let answer = post(&bench, "/anything", "application/x-www-form-urlencoded", "f=g+h&i=")
        .await
        .json();
    assert_eq!(
        (&answer["form"], &answer["data"]),
        (&json!({ "f": "g h", "i": "" }), &json!(""))
    );
    let answer = bench
        .request("httpbin-v1", "/anything")
        .method("DELETE")
        .body(Body::empty())
        .unwrap();
    assert_eq!(bench.send(answer).await.json()["method"], "DELETE");
}

#[tokio::test]
async fn a_body_is_measured_whole_in_answer_and_log() {
    let bench = httpbin("bodies").await;
    let digest_of_a = [
        (
            1 << 20,
            "9bc1b2a288b26af7257a36277ae3816a7d4f16e89c1e7e77d0a5c48bad62b360",
        ),
        (
            3 << 20,
            "6f850bc94ae6f7de14297c01616c36d712d22864497b28a63b81d776b035e656",
        ),
    ];
    for (at, (length, digest)) in digest_of_a.into_iter().enumerate() {
        let answer = post(&bench, "/anything", "text/plain", vec![b'a'; length]).await.json();
        assert_eq!((&answer["length"], &answer["sha256"]), (&json!(length), &json!(digest)));
        let kept = if length > 2 << 20 { 0 } else { length };
        assert_eq!(
            answer["data"].as_str().unwrap().len(),
            kept,
            "bodies above 2 MiB are not kept"
        );
        let line = &bench.log("httpbin-v1")[at];
        assert_eq!(
            (&line["body_length"], &line["body_sha256"]),
            (&json!(length), &json!(digest))
        );
    }
}

#[tokio::test]
async fn status_answers_what_is_asked_for() {
    let bench = httpbin("status").await;
    for code in [200, 204, 304, 404, 418, 503, 599] {
        assert_eq!(bench.get("httpbin-v1", &format!("/status/{code}")).await.status, code);
    }
    for wrong in ["101", "600", "99999", "teapot"] {
        assert_eq!(
            bench.get("httpbin-v1", &format!("/status/{wrong}")).await.status,
            400,
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn delay_answers_late() {
    let bench = httpbin("delay").await;
    let begin = Instant::now();
    let answer = bench.get("httpbin-v1", "/delay/0.3").await;
    assert!(
        (300..1500).contains(&begin.elapsed().as_millis()),
        "{:?}",
        begin.elapsed()
    );
    assert_eq!((answer.status, answer.json()["method"].clone()), (200, json!("GET")));
    for wrong in ["-1", "NaN", "soon"] {
        assert_eq!(
            bench.get("httpbin-v1", &format!("/delay/{wrong}")).await.status,
            400,
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn bytes_gives_that_many_and_ip_the_peer() {
    let bench = httpbin("bytes").await;
    for length in [0, 1, 100_000] {
        let answer = bench.get("httpbin-v1", &format!("/bytes/{length}")).await;
        assert_eq!(
            (answer.body.len(), answer.header("content-length")),
            (length, length.to_string().as_str())
        );
    }
    let [one, again, other] =
        ["/bytes/9?seed=1", "/bytes/9?seed=1", "/bytes/9?seed=2"].map(|path| bench.get("httpbin-v1", path));
    let (one, again, other) = tokio::join!(one, again, other);
    assert!(one.body == again.body && one.body != other.body);
    assert_eq!(bench.get("httpbin-v1", "/bytes/104857601").await.status, 400);
    assert_eq!(
        bench.get("httpbin-v1", "/ip").await.json(),
        json!({ "origin": "127.0.0.1" })
    );
    let answer = bench
        .get_with("httpbin-v1", "/ip", &[("x-forwarded-for", "10.1.2.3")])
        .await
        .json();
    assert_eq!(answer, json!({ "origin": "10.1.2.3" }));
}
