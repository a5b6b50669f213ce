//! Inside Istio: what istiod sends a proxy for manifests like those of `envoy/istio` (`testdata/istio`), less Istio's own filters, on a stock Envoy.

use std::collections::BTreeMap;
use std::time::Duration;

use hyper::StatusCode;
use serde_json::json;

use self::proxy::{
    CATALOG_V1, CATALOG_V2, ELSEWHERE, Proxy, RATINGS, REVIEWS, REVIEWS_V1, REVIEWS_V2, WEB, documents, extension,
    patched, sent, shipped, without_us,
};
use crate::support::http::{Answer, Call, call, get};
use crate::support::turn;
use crate::support::upstream::{Behaviour, Received};

mod proxy;

/// What a client may try.
const RESERVED: [&str; 3] = ["x-switchyard-cluster", "x-switchyard-retry", "x-switchyard-mirror"];

/// A request with a client's own idea of where to go.
fn forged(call: Call) -> Call {
    let call = call.header("x-switchyard-cluster", REVIEWS_V1);
    call.header("x-switchyard-retry", "custom")
        .header("x-switchyard-mirror", REVIEWS_V1)
}

fn assert_none_reserved(received: &[(&str, Received)]) {
    for (cluster, received) in received {
        for name in RESERVED {
            assert!(!received.headers.contains_key(name), "{cluster} got {name}");
        }
    }
}

#[test]
fn patches_are_applied_as_istiod_applies_them() {
    let routes = sent("routes.json");
    let input = documents("testdata/istio/input.yaml");
    let ours = patched(without_us(routes.clone()), &input[1]);
    // Protocol buffers take a number as text too.
    let numbers = |routes: serde_json::Value| routes.to_string().replace(":\"5\"", ":5");
    assert_ne!(numbers(without_us(routes.clone())), numbers(routes.clone()));
    assert_eq!(numbers(ours), numbers(routes));
}

#[tokio::test]
async fn the_virtual_service_in_plugin_config_wins_over_istiods_routes() {
    let _turn = turn::alongside().await;
    let mut proxy = Proxy::new().await;
    let ours = proxy.listen(&sent("routes.json"), Some(&extension(None)));
    let theirs = proxy.listen(&without_us(sent("routes.json")), None);
    let envoy = proxy.start().await;
    for host in [
        "reviews",
        "reviews:9080",
        "reviews.default:9080",
        "reviews.default.svc.cluster.local:9080",
    ] {
        for call in [get(host, "/reviews/0"), call("POST", host, "/?a=b").body("a body")] {
            assert_eq!(call.send(ours).await.text(), REVIEWS_V2, "{host}");
        }
        assert_eq!(get(host, "/reviews/0").send(theirs).await.text(), REVIEWS, "{host}");
    }
    let received = proxy.received();
    assert_eq!(received.len(), 12);
    assert_none_reserved(&received);
    let stats = envoy.admin.stats().await;
    assert_eq!(stats.sum("wasmcustom.switchyard_requests_total", ""), 8);
}

#[tokio::test]
async fn hosts_that_the_filter_does_not_know_are_untouched() {
    let _turn = turn::alongside().await;
    let mut proxy = Proxy::new().await;
    let ours = proxy.listen(&sent("routes.json"), Some(&extension(None)));
    let theirs = proxy.listen(&without_us(sent("routes.json")), None);
    let _envoy = proxy.start().await;
    let calls: [fn(&str) -> Call; 7] = [
        |host| get(host, "/"),
        |host| get(host, "/a/../b//c%2Fd?q=%20&x=1").header("cookie", "a=b"),
        |host| call("POST", host, "/form").body("a body"),
        |host| call("HEAD", host, "/head"),
        |host| call("OPTIONS", host, "/cors").header("origin", "http://a.example"),
        |host| get(host, "/binary").header("x-binary", b"\xff\xfe"),
        |host| get(host, "/grpc").header("content-type", "application/grpc"),
    ];
    for host in [
        "ratings",
        "ratings.default.svc.cluster.local:9080",
        "reviews.prod",
        "api.example.com",
    ] {
        for call in calls {
            let (with, without) = (call(host).send(ours).await, call(host).send(theirs).await);
            assert_eq!(outcome(&with), outcome(&without), "{host}");
            let [(first, with), (second, without)] = proxy.received().try_into().unwrap();
            assert_eq!(
                (first, upstream_view(&with)),
                (second, upstream_view(&without)),
                "{host}"
            );
        }
    }
}

/// What of an answer is the same however long it took.
fn outcome(answer: &Answer) -> (u16, BTreeMap<String, Vec<u8>>, &str) {
    let headers = answer.headers.iter();
    let headers = headers.map(|(name, value)| (name.to_string(), value.as_bytes().to_owned()));
    let varies = ["date", "x-envoy-upstream-service-time"];
    let headers = headers.filter(|(name, _)| !varies.contains(&name.as_str()));
    (answer.status.as_u16(), headers.collect(), answer.text())
}

/// What an upstream got, less what no two requests share.
fn upstream_view(received: &Received) -> (String, String, BTreeMap<String, Vec<u8>>, Vec<u8>) {
    let headers = received.headers.iter();
    let headers = headers.map(|(name, value)| (name.to_string(), value.as_bytes().to_owned()));
    let headers = headers.filter(|(name, _)| name != "x-request-id");
    let (method, path) = (received.method.clone(), received.path.clone());
    (method, path, headers.collect(), received.body.to_vec())
}

#[tokio::test]
async fn a_client_cannot_choose_its_cluster() {
    let _turn = turn::alongside().await;
    let mut proxy = Proxy::new().await;
    let by_istiod = proxy.listen(&sent("routes.json"), Some(&extension(None)));
    let routes = patched(without_us(sent("routes.json")), &shipped("envoyfilter.yaml")[0]);
    let by_ours = proxy.listen(&routes, Some(&extension(None)));
    // Before the filter has come, or where it was taken away first.
    let without_filter = proxy.listen(&routes, None);
    let _envoy = proxy.start().await;
    for to in [by_istiod, by_ours, without_filter] {
        let reviews = if to == without_filter { REVIEWS } else { REVIEWS_V2 };
        for (host, cluster) in [("reviews", reviews), ("ratings", RATINGS), ("a.example", ELSEWHERE)] {
            let answer = forged(get(host, "/")).send(to).await;
            assert_eq!((answer.status.as_u16(), answer.text()), (200, cluster), "{host}");
        }
        let received = proxy.received();
        assert_eq!(received.len(), 3);
        assert_none_reserved(&received);
    }
}

#[tokio::test]
async fn the_sidecars_manifests_run() {
    let _turn = turn::alongside().await;
    let mut proxy = Proxy::new().await;
    let routes = patched(without_us(sent("routes.json")), &shipped("envoyfilter.yaml")[0]);
    let plugin = &shipped("wasmplugin.yaml")[0]["spec"]["pluginConfig"];
    let as_shipped = proxy.listen(&routes, Some(&extension(Some(plugin))));
    let mut with_retries = plugin.clone();
    let rule = &mut with_retries["resources"][0]["spec"]["http"][1];
    rule["retries"] = json!({"attempts": 3, "retryOn": "5xx", "retryIgnorePreviousHosts": false});
    let retrying = proxy.listen(&routes, Some(&extension(Some(&with_retries))));
    let _envoy = proxy.start().await;

    let jason = get("reviews", "/").header("end-user", "jason").send(as_shipped).await;
    assert_eq!(jason.text(), REVIEWS_V2);
    assert!(jason.took > Duration::from_secs(2), "{:?}", jason.took);
    assert_eq!(get("reviews", "/").send(as_shipped).await.text(), REVIEWS_V1);

    proxy.received();
    proxy.upstreams[REVIEWS_V1].behave(Behaviour {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        ..Behaviour::default()
    });
    for (to, tries) in [(as_shipped, 1), (retrying, 4)] {
        assert_eq!(get("reviews", "/").send(to).await.status, 500);
        let received = proxy.received();
        assert_eq!(received.len(), tries);
        assert_none_reserved(&received);
    }
}

#[tokio::test]
async fn the_gateways_manifests_run() {
    let _turn = turn::alongside().await;
    let mut proxy = Proxy::new().await;
    // As istiod has them for a Gateway of this host and a VirtualService that sends everything to `web`.
    let route = json!({"name": "default", "match": {"prefix": "/"}, "route": {"cluster": WEB, "timeout": "0s"}});
    let host = json!({"name": "shop.example.com:80", "domains": ["shop.example.com"], "routes": [route]});
    let gateway = json!({"name": "http.8080", "virtual_hosts": [host], "ignore_port_in_host_matching": true});
    let filter = &shipped("gateway-envoyfilter.yaml")[0];
    let plugin = &shipped("gateway-wasmplugin.yaml")[0]["spec"]["pluginConfig"];
    let ours = proxy.listen(&patched(gateway.clone(), filter), Some(&extension(Some(plugin))));
    let theirs = proxy.listen(&gateway, None);
    let _envoy = proxy.start().await;

    let ask = |path, to| forged(get("shop.example.com", path)).send(to);
    assert_eq!(ask("/catalog", ours).await.text(), CATALOG_V1);
    let copy = proxy.upstreams[CATALOG_V2].receives(1).await;
    assert_eq!(copy[0].header("host"), b"shop.example.com-shadow");
    for path in ["/", "/cart"] {
        assert_eq!(ask(path, ours).await.text(), WEB);
    }
    assert_none_reserved(&proxy.received());
    assert_eq!(ask("/catalog", theirs).await.text(), WEB);
    for to in [ours, theirs] {
        assert_eq!(get("other.example.com", "/catalog").send(to).await.status, 404);
    }
}
