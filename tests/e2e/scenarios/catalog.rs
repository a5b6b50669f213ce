//! The shop's catalog.

use crate::support::http::get;
use crate::support::scenario::Scenario;
use crate::support::turn;

#[tokio::test]
async fn c1_who_asks_for_the_dark_launch_gets_pictures() {
    let _turn = turn::alongside().await;
    let mut catalog = Scenario::start("catalog", &["destination-rule", "virtual-service-dark-v2"]).await;
    let webapp = catalog.service("webapp-v1");
    for (asked, pictures) in [
        (Some("v2"), true),
        (Some("v1"), false),
        (Some("V2"), false),
        (None, false),
    ] {
        for _ in 0..10 {
            let call = get("shop", "/api/catalog");
            let call = asked
                .into_iter()
                .fold(call, |call, version| call.header("x-dark-launch", version));
            let answer = call.send(webapp).await;
            assert_eq!(answer.status, 200);
            let items = answer.json();
            let items = items.as_array().unwrap();
            assert!(!items.is_empty());
            for item in items {
                assert_eq!(item.get("imageUrl").is_some(), pictures, "{asked:?}: {item}");
            }
        }
    }
    assert_eq!(
        (catalog.log("catalog-v1").len(), catalog.log("catalog-v2").len()),
        (30, 10)
    );
    catalog.switchyard.assert_unharmed().await;
}
