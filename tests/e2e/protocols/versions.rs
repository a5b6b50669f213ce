//! HTTP/1.1 and HTTP/2, down and up.

use std::time::Duration;

use futures_util::stream;
use hyper::Version;
use hyper::body::{Bytes, Frame};
use hyper::header::{HeaderMap, HeaderValue};
use serde_json::json;

use crate::support::http::{Answer, Call, Connection, Http2, call};
use crate::support::manifest::{service_of, subsets, virtual_service};
use crate::support::turn;
use crate::support::upstream::{Behaviour, Upstream};
use crate::support::web::Front;

/// A port, what a DestinationRule says of it, and the HTTP in which its upstreams are spoken to; none for the client's own.
const SERVICES: [(&str, &str, &str, Option<Version>); 8] = [
    ("http", "name: http", "", Some(Version::HTTP_11)),
    ("http2", "name: http2-web", "", Some(Version::HTTP_2)),
    ("grpc", "name: grpc", "", Some(Version::HTTP_2)),
    (
        "h2c",
        "name: http, appProtocol: kubernetes.io/h2c",
        "",
        Some(Version::HTTP_2),
    ),
    (
        "upgraded",
        "name: http",
        "h2UpgradePolicy: UPGRADE",
        Some(Version::HTTP_2),
    ),
    ("like-its-client", "name: http", "useClientProtocol: true", None),
    ("unnamed", "name: web", "", None),
    ("not-upgraded", "name: web", "h2UpgradePolicy: UPGRADE", None),
];

/// Of the 100 ms that rules say; timers may be a little early.
const DELAY: Duration = Duration::from_millis(97);

fn rules(host: &str) -> [String; 3] {
    let fault = "delay: {percentage: {value: 100}, fixedDelay: 0.1s}";
    let to = format!("route: [{{destination: {{host: {host}, subset: v1}}}}]");
    [
        format!(
            "{{match: [{{uri: {{prefix: /aborted}}}}], fault: {{{fault}, abort: {{percentage: {{value: 100}}, httpStatus: 418}}}}, {to}}}"
        ),
        format!(
            "{{match: [{{uri: {{prefix: /everything}}}}], fault: {{{fault}}}, mirror: {{host: {host}, subset: v2}}, \
            headers: {{request: {{set: {{x-to-upstream: a}}}}, response: {{set: {{x-to-client: b}}}}}}, {to}}}"
        ),
        format!("{{{to}}}"),
    ]
}

struct Versions {
    v1: Upstream,
    v2: Upstream,
    front: Front,
    http1: Connection,
    http2: Http2,
}

impl Versions {
    async fn start() -> Self {
        let v1 = Upstream::start(Behaviour::default()).await;
        let v2 = Upstream::start(Behaviour::default()).await;
        let mut manifests = Vec::new();
        for (host, port, http, _) in SERVICES {
            manifests.push(service_of(host, port, 8080, &[("v1", v1.address), ("v2", v2.address)]));
            let policy = format!("  trafficPolicy: {{connectionPool: {{http: {{{http}}}}}}}\n");
            manifests.push(subsets(host, &["v1", "v2"]) + if http.is_empty() { "" } else { &policy });
            manifests.push(virtual_service(host, &rules(host).each_ref().map(String::as_str)));
        }
        let front = Front::of(json!({}), &manifests).await;
        Self {
            v1,
            v2,
            http1: Connection::open(front.address).await.unwrap(),
            http2: Http2::open(front.address).await,
            front,
        }
    }

    async fn send(&mut self, down: Version, call: Call) -> Answer {
        match down {
            Version::HTTP_2 => self.http2.send(call).await.unwrap(),
            _ => self.http1.send(call).await,
        }
    }
}

#[tokio::test]
async fn each_port_is_spoken_to_as_istio_reads_it_whatever_the_client_speaks() {
    let _turn = turn::alongside().await;
    let mut all = Versions::start().await;
    for (host, _, _, up) in SERVICES {
        for down in [Version::HTTP_11, Version::HTTP_2] {
            all.v1.forget();
            all.v2.forget();
            let host = format!("{host}:8080");
            let post = |path| call("POST", &host, path).pieces(vec!["some ".into(), "body".into()]);
            let what = format!("{host} for {down:?}");

            let plain = all.send(down, post("/plain")).await;
            assert_eq!((plain.status.as_u16(), plain.text()), (200, "upstream"), "{what}");
            let received = all.v1.received().remove(0);
            assert_eq!(received.version, up.unwrap_or(down), "{what}");
            assert_eq!(
                (received.method.as_str(), &received.body[..]),
                ("POST", &b"some body"[..]),
                "{what}"
            );

            let aborted = all.send(down, post("/aborted")).await;
            assert_eq!(
                (aborted.status.as_u16(), aborted.text()),
                (418, "fault filter abort"),
                "{what}"
            );
            assert!(aborted.took >= DELAY, "{what}");

            let everything = all.send(down, post("/everything?a=b")).await;
            assert_eq!(
                (everything.status.as_u16(), everything.text()),
                (200, "upstream"),
                "{what}"
            );
            assert_eq!(everything.header("x-to-client"), "b", "{what}");
            assert!(everything.took >= DELAY, "{what}");
            let (received, copy) = (all.v1.received().remove(1), all.v2.receives(1).await.remove(0));
            assert_eq!(copy.version, up.unwrap_or(Version::HTTP_11), "{what}");
            for request in [received, copy] {
                assert_eq!(
                    (request.path.as_str(), &request.body[..]),
                    ("/everything?a=b", &b"some body"[..]),
                    "{what}"
                );
                assert_eq!(request.header("x-to-upstream"), b"a", "{what}");
            }
        }
    }
    all.front.switchyard.assert_unharmed().await;
}

#[tokio::test]
async fn trailers_of_requests_go_where_their_protocol_carries_them() {
    let _turn = turn::alongside().await;
    let mut all = Versions::start().await;
    for path in ["/plain", "/everything"] {
        for (host, carried) in [("http2:8080", true), ("http:8080", false)] {
            all.v1.forget();
            let mut trailers = HeaderMap::new();
            trailers.insert("x-sum", HeaderValue::from_static("9"));
            let frames = [Frame::data(Bytes::from("some body")), Frame::trailers(trailers)];
            let answer = all
                .http2
                .send(call("POST", host, path).frames(stream::iter(frames)))
                .await
                .unwrap();
            assert_eq!(
                (answer.status.as_u16(), answer.text()),
                (200, "upstream"),
                "{host}{path}"
            );
            let received = all.v1.received().remove(0);
            assert_eq!(received.body, "some body", "{host}{path}");
            assert_eq!(received.trailers.contains_key("x-sum"), carried, "{host}{path}");
        }
    }
    // A copy has the body and no trailers.
    let copies = all.v2.receives(2).await;
    assert!(
        copies
            .iter()
            .all(|copy| copy.body == "some body" && copy.trailers.is_empty()),
        "{copies:?}"
    );
    all.front.switchyard.assert_unharmed().await;
}
