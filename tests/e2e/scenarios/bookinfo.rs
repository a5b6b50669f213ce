//! The book shop, by its page.

use std::net::SocketAddr;
use std::time::Duration;

use crate::support::chance::may_be_chance;
use crate::support::http::{Answer, Call, call, get, load};
use crate::support::scenario::Scenario;
use crate::support::turn;

const AT_ONCE: Duration = Duration::from_secs(2);
const BLACK: &str = "stars black";
const RED: &str = "stars red";
const REVIEWS_UNAVAILABLE: &str = "Reviews service is currently unavailable";
const RATINGS_UNAVAILABLE: &str = "Ratings service is currently unavailable";

fn page() -> Call {
    get("shop", "/productpage")
}

/// As someone who has signed in.
async fn page_of(user: &str, to: SocketAddr) -> Call {
    let form = call("POST", "shop", "/login").header("content-type", "application/x-www-form-urlencoded");
    let answer = form.body(format!("username={user}")).send(to).await;
    assert_eq!(answer.status, 303);
    let cookie = answer.header("set-cookie").split(';').next().unwrap();
    page().header("cookie", cookie)
}

/// The page is whole, with reviews that show these stars, or none.
fn assert_stars(answer: &Answer, stars: Option<&str>) {
    assert_eq!(answer.status, 200);
    let text = answer.text();
    assert!(text.contains("ISBN-13"), "details are missing: {text}");
    assert!(text.contains("Reviewer1") && !text.contains("unavailable"), "{text}");
    for known in [BLACK, RED] {
        assert_eq!(text.contains(known), stars == Some(known), "{stars:?}: {text}");
    }
}

fn assert_seconds(answer: &Answer, range: std::ops::Range<f64>) {
    assert!(range.contains(&answer.took.as_secs_f64()), "{:?}", answer.took);
}

#[tokio::test]
async fn b1_reviews_are_always_v1() {
    let _turn = turn::alongside().await;
    let mut shop = Scenario::start("bookinfo", &["destination-rule-all", "virtual-service-all-v1"]).await;
    for answer in load(shop.service("productpage-v1"), 40, 2, page).await {
        assert_stars(&answer, None);
    }
    assert_eq!(shop.log("reviews-v1").len(), 40);
    assert_eq!((shop.log("reviews-v2").len(), shop.log("reviews-v3").len()), (0, 0));
    shop.switchyard.assert_unharmed().await;
}

#[tokio::test]
async fn b1_without_the_destination_rules_everything_is_503() {
    let _turn = turn::alongside().await;
    let mut shop = Scenario::start("bookinfo", &["virtual-service-all-v1"]).await;
    for service in ["reviews", "details", "ratings"] {
        let host = format!("{service}:9080");
        let answer = get(&host, &format!("/{service}/0"))
            .send(shop.listener("productpage"))
            .await;
        assert_eq!((answer.status.as_u16(), answer.text()), (503, ""));
        assert_eq!(shop.switchyard.access_log(&host, 1).await[0]["response_flags"], "NC");
    }
    let answer = page().send(shop.service("productpage-v1")).await;
    assert!(answer.text().contains(REVIEWS_UNAVAILABLE), "{}", answer.text());
    shop.switchyard.assert_unharmed().await;
}

#[tokio::test]
async fn b2_only_jason_gets_black_stars() {
    let _turn = turn::alongside().await;
    let rules = [
        "destination-rule-all",
        "virtual-service-all-v1",
        "virtual-service-reviews-test-v2",
    ];
    let mut shop = Scenario::start("bookinfo", &rules).await;
    let to = shop.service("productpage-v1");
    for _ in 0..10 {
        assert_stars(&page_of("jason", to).await.send(to).await, Some(BLACK));
        assert_stars(&page_of("mary", to).await.send(to).await, None);
        assert_stars(&page().send(to).await, None);
    }
    shop.switchyard.assert_unharmed().await;
}

#[tokio::test]
async fn b3_the_page_gives_up_after_two_times_three_seconds() {
    let _turn = turn::alongside().await;
    let rules = [
        "destination-rule-all",
        "virtual-service-all-v1",
        "virtual-service-reviews-test-v2",
        "virtual-service-ratings-test-delay",
    ];
    let mut shop = Scenario::start("bookinfo", &rules).await;
    let to = shop.service("productpage-v1");
    let waiting = tokio::spawn(page_of("jason", to).await.send(to));
    for _ in 0..10 {
        let answer = page().send(to).await;
        assert_stars(&answer, None);
        assert!(answer.took < AT_ONCE, "{:?}", answer.took);
    }
    let answer = waiting.await.unwrap();
    assert_eq!(answer.status, 200);
    assert_seconds(&answer, 5.99..6.9);
    assert!(
        answer.text().contains(REVIEWS_UNAVAILABLE) && answer.text().contains("ISBN-13"),
        "{}",
        answer.text()
    );
    shop.switchyard.assert_unharmed().await;
}

#[tokio::test]
async fn b4_jasons_page_comes_at_once_without_ratings() {
    let _turn = turn::alongside().await;
    let rules = [
        "destination-rule-all",
        "virtual-service-all-v1",
        "virtual-service-reviews-test-v2",
        "virtual-service-ratings-test-abort",
    ];
    let mut shop = Scenario::start("bookinfo", &rules).await;
    let to = shop.service("productpage-v1");
    for _ in 0..5 {
        let answer = page_of("jason", to).await.send(to).await;
        assert_eq!(answer.status, 200);
        assert!(answer.took < AT_ONCE, "{:?}", answer.took);
        let text = answer.text();
        assert!(
            text.contains(RATINGS_UNAVAILABLE) && text.contains("Reviewer1"),
            "{text}"
        );
        assert_stars(&page().send(to).await, None);
    }
    assert_eq!(shop.log("ratings-v1").len(), 0);
    shop.switchyard.assert_unharmed().await;
}

#[tokio::test]
async fn b5_the_page_waits_two_seconds_for_ratings_until_reviews_have_a_timeout() {
    let _turn = turn::alongside().await;
    let rules = [
        "destination-rule-all",
        "virtual-service-all-v1",
        "virtual-service-reviews-v2",
        "virtual-service-ratings-delay-2s",
    ];
    let mut shop = Scenario::start("bookinfo", &rules).await;
    let to = shop.service("productpage-v1");
    let answer = page().send(to).await;
    assert_stars(&answer, Some(BLACK));
    assert_seconds(&answer, 1.99..2.9);
    // Twice half a second: productpage asks again, once.
    shop.apply("virtual-service-reviews-timeout").await;
    let answer = page().send(to).await;
    assert_eq!(answer.status, 200);
    assert_seconds(&answer, 0.99..1.9);
    assert!(answer.text().contains(REVIEWS_UNAVAILABLE), "{}", answer.text());
    shop.switchyard.assert_unharmed().await;
}

#[tokio::test]
async fn b6_half_of_the_pages_show_red_stars_and_then_all_do() {
    let _turn = turn::alongside().await;
    let rules = [
        "destination-rule-all",
        "virtual-service-all-v1",
        "virtual-service-reviews-50-v3",
    ];
    let mut shop = Scenario::start("bookinfo", &rules).await;
    let to = shop.service("productpage-v1");
    let answers = load(to, 2000, 8, page).await;
    let red = answers.iter().filter(|answer| answer.text().contains(RED)).count();
    for answer in answers {
        assert_stars(&answer, answer.text().contains(RED).then_some(RED));
    }
    assert!(may_be_chance(red, 2000, 0.5), "{red} of 2000 pages are red");
    shop.apply("virtual-service-reviews-v3").await;
    for answer in load(to, 100, 2, page).await {
        assert_stars(&answer, Some(RED));
    }
    shop.switchyard.assert_unharmed().await;
}

#[tokio::test]
async fn b7_the_gateway_knows_five_paths_and_no_others() {
    let _turn = turn::alongside().await;
    let mut shop = Scenario::start("bookinfo", &["bookinfo-gateway"]).await;
    let to = shop.listener("ingress");
    for host in ["localhost", "shop.example", "127.0.0.1:10080"] {
        for (path, status) in [
            ("/productpage", 200),
            ("/productpage?u=normal", 200),
            ("/static/style.css", 200),
            ("/login", 405),
            ("/logout", 303),
            ("/api/v1/products", 200),
            ("/api/v1/products/0", 200),
        ] {
            let answer = get(host, path).send(to).await;
            assert_eq!(
                (answer.status.as_u16(), answer.header("x-served-by")),
                (status, "productpage-v1"),
                "{path}"
            );
        }
        for path in [
            "/",
            "/productpage/",
            "/productpages",
            "/login/",
            "/logout/x",
            "/Productpage",
            "/api/v1",
            "/reviews/0",
            "/health",
        ] {
            let answer = get(host, path).send(to).await;
            assert_eq!((answer.status.as_u16(), answer.text()), (404, ""), "{path}");
            assert_eq!(answer.header("x-served-by"), "");
        }
    }
    shop.switchyard.assert_unharmed().await;
}
