//! The book shop: stars, time-outs, sessions.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod bench;

use std::time::{Duration, Instant};

use axum::body::Body;
use bench::Bench;

const RATINGS_ERROR: &str = "Ratings service is currently unavailable";
const REVIEWS_ERROR: &str = "Reviews service is currently unavailable";

/// All of bookinfo with some specs changed; reviews is v1.
async fn bookinfo(test: &str, productpage: &str, ratings: &str) -> Bench {
    let specs = [
        &format!("name=productpage{productpage}"),
        "name=details",
        "name=reviews",
        "name=reviews,version=v2,timeout-ms=300",
        "name=reviews,version=v3",
        &format!("name=ratings{ratings}"),
    ];
    let bench = Bench::start(test, &specs).await;
    bench.route("details:9080", "details-v1");
    bench.route("reviews:9080", "reviews-v1");
    bench.route("ratings:9080", "ratings-v1");
    bench
}

#[tokio::test]
async fn v1_has_no_stars_v2_black_and_v3_red() {
    let bench = bookinfo("stars", "", "").await;
    for (reviews, black, red) in [
        ("reviews-v1", false, false),
        ("reviews-v2", true, false),
        ("reviews-v3", false, true),
    ] {
        bench.route("reviews:9080", reviews);
        let page = bench.get("productpage-v1", "/productpage").await;
        assert_eq!((page.status, page.header("x-served-by")), (200, "productpage-v1"));
        let html = page.text();
        assert_eq!(
            (html.contains("stars black"), html.contains("stars red")),
            (black, red),
            "{reviews}"
        );
        assert_eq!(html.contains('★'), black || red, "{reviews}");
        assert!(html.contains(reviews) && html.contains("William Shakespeare"), "{html}");
    }
}

#[tokio::test]
async fn reviews_say_in_json_what_they_got_from_ratings() {
    let bench = bookinfo("reviews-json", "", "").await;
    let answer = bench.get("reviews-v1", "/reviews/0").await;
    assert_eq!(answer.header("x-served-by"), "reviews-v1");
    assert!(answer.json()["reviews"][0].get("rating").is_none());
    let answer = bench.get("reviews-v2", "/reviews/0").await.json();
    assert_eq!(
        answer["reviews"][0]["rating"],
        serde_json::json!({ "stars": 5, "color": "black" })
    );
    let answer = bench.get("reviews-v3", "/reviews/0").await.json();
    assert_eq!(
        answer["reviews"][1]["rating"],
        serde_json::json!({ "stars": 4, "color": "red" })
    );
    assert_eq!(bench.get("reviews-v1", "/reviews/..%2f0").await.status, 400);
}

#[tokio::test]
async fn ratings_that_fail_leave_a_sentence_in_the_place_of_stars() {
    let bench = bookinfo("ratings-fail", "", ",status=500").await;
    bench.route("reviews:9080", "reviews-v2");
    let html = bench.get("productpage-v1", "/productpage").await.text().to_owned();
    assert_eq!(html.matches(RATINGS_ERROR).count(), 2, "{html}");
    assert!(!html.contains('★') && !html.contains(REVIEWS_ERROR));
    assert_eq!(bench.log("ratings-v1").len(), 1, "a failed call is not repeated");
}

#[tokio::test]
async fn reviews_give_slow_ratings_up_after_their_time_out() {
    let bench = bookinfo("ratings-slow", "", ",delay-ms=60000").await;
    let begin = Instant::now();
    let answer = bench.get("reviews-v2", "/reviews/0").await.json();
    assert_eq!(answer["reviews"][0]["rating"]["error"], RATINGS_ERROR);
    assert!(
        (300..1500).contains(&begin.elapsed().as_millis()),
        "{:?}",
        begin.elapsed()
    );
}

#[tokio::test]
async fn productpage_asks_slow_reviews_twice_and_then_does_without() {
    let bench = bookinfo("reviews-slow", ",timeout-ms=400", ",delay-ms=60000").await;
    bench.route("reviews:9080", "reviews-v3");
    let begin = Instant::now();
    let page = bench.get("productpage-v1", "/productpage").await;
    let took = begin.elapsed();
    assert_eq!(page.status, 200);
    assert!(page.text().contains(REVIEWS_ERROR) && page.text().contains("William Shakespeare"));
    assert!(
        (Duration::from_millis(800)..Duration::from_millis(2000)).contains(&took),
        "{took:?}"
    );
    let log = bench.log_of("reviews-v3", 2).await;
    assert_eq!(log.len(), 2);
    assert!(
        log.iter().all(|line| line["status"].is_null()),
        "the caller left: {log:?}"
    );
}

#[tokio::test]
async fn productpage_does_without_details_too() {
    let bench = Bench::start("no-details", &["name=productpage", "name=reviews"]).await;
    bench.route("reviews:9080", "reviews-v1");
    let html = bench.get("productpage-v1", "/productpage").await.text().to_owned();
    assert!(
        html.contains("Details service is currently unavailable") && html.contains("Reviewer1"),
        "{html}"
    );
    assert!(html.contains("2 attempts") && html.contains("status 503"), "{html}");
}

#[tokio::test]
async fn who_signs_in_is_the_end_user_down_to_ratings() {
    let bench = bookinfo("session", "", "").await;
    bench.route("reviews:9080", "reviews-v2");
    let login = bench.request("productpage-v1", "/login").method("POST");
    let login = login.header("content-type", "application/x-www-form-urlencoded");
    let login = bench
        .send(login.body(Body::from("username=jason&passwd=")).unwrap())
        .await;
    assert_eq!((login.status, login.header("location")), (303, "/productpage"));
    let cookie = login.header("set-cookie").split(';').next().unwrap();
    let page = bench
        .get_with("productpage-v1", "/productpage", &[("cookie", cookie)])
        .await;
    assert!(page.text().contains("<strong>jason</strong>"));
    for id in ["details-v1", "reviews-v2", "ratings-v1"] {
        assert_eq!(bench.log(id)[0]["headers"]["end-user"], "jason", "{id}");
    }
    let logout = bench.get_with("productpage-v1", "/logout", &[("cookie", cookie)]).await;
    assert!(logout.header("set-cookie").starts_with("session=;") && logout.header("set-cookie").contains("Max-Age=0"));
    bench.get("productpage-v1", "/productpage").await;
    assert!(bench.log("ratings-v1")[1]["headers"].get("end-user").is_none());
}

#[tokio::test]
async fn trace_headers_are_passed_on_and_others_are_not() {
    let bench = bookinfo("headers", "", "").await;
    bench.route("reviews:9080", "reviews-v3");
    let passed_on = [
        ("end-user", "jim"),
        ("x-request-id", "r-1"),
        ("x-dark-launch", "v2"),
        ("traceparent", "00-1-2-01"),
        ("tracestate", "a=b"),
        ("b3", "1-2-1"),
        ("x-b3-traceid", "7"),
    ];
    let kept_back = [("x-echo-status", "500"), ("authorization", "secret"), ("cookie", "a=b")];
    let page = bench
        .get_with("productpage-v1", "/productpage", &[&passed_on[..], &kept_back].concat())
        .await;
    assert!(page.text().contains("stars red"), "the page obeys no x-echo-status");
    let line = &bench.log("ratings-v1")[0];
    assert_eq!(
        (&line["host"], &line["request_id"]),
        (&"ratings:9080".into(), &"r-1".into())
    );
    for (name, value) in passed_on {
        assert_eq!(line["headers"][name], value);
    }
    for (name, _) in kept_back {
        assert!(line["headers"].get(name).is_none(), "{name}");
    }
}

#[tokio::test]
async fn products_are_there_as_json_and_static_files_as_files() {
    let bench = bookinfo("products", "", "").await;
    let products = bench.get("productpage-v1", "/api/v1/products").await.json();
    assert_eq!(products[0]["title"], "The Comedy of Errors");
    assert_eq!(
        bench.get("productpage-v1", "/api/v1/products/0").await.json()["pages"],
        200
    );
    assert_eq!(
        bench.get("productpage-v1", "/api/v1/products/0/ratings").await.json()["ratings"]["Reviewer2"],
        4
    );
    let reviews = bench.get("productpage-v1", "/api/v1/products/0/reviews").await.json();
    assert_eq!(reviews["podname"], "reviews-v1");
    assert_eq!(
        bench
            .get("productpage-v1", "/static/style.css")
            .await
            .header("content-type"),
        "text/css"
    );
    assert_eq!(
        bench
            .get("productpage-v1", "/static/book.svg")
            .await
            .header("content-type"),
        "image/svg+xml"
    );
    assert_eq!(bench.get("productpage-v1", "/static/none").await.status, 404);
}
