//! Requests that are odd, or false.

use hyper::header::CONTENT_TYPE;

use crate::support::http::{Connection, Http2, call, get};
use crate::support::turn;
use crate::support::web::Web;

#[tokio::test]
async fn header_values_that_are_not_utf_8_change_nothing() {
    let _turn = turn::alongside().await;
    let copied = "{match: [{headers: {x-raw: {regex: '(?s).*'}}}], \
        headers: {request: {add: {x-copy: '%REQ(x-raw)%'}}, response: {add: {x-copy: '%REQ(x-raw)%'}}}, \
        mirror: {host: web, subset: v2}, route: [{destination: {host: web, subset: v1}}]}";
    let mut web = Web::with(&[copied]).await;
    for value in [&b"\xff"[..], b"\xc3\x28", b"\x80abc\xfe", b"caf\xe9"] {
        web.v1.forget();
        web.v2.forget();
        let request = get("web:8080", "/raw").header("x-raw", value).header("cookie", value);
        let answer = request.send(web.address).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["x-copy"].as_bytes(), value);
        let received = web.v1.received().remove(0);
        for name in ["x-raw", "x-copy", "cookie"] {
            assert_eq!(received.header(name), value, "{name}");
        }
        // The copy goes without them, as the SDK's call takes text.
        let copy = web.v2.receives(1).await.remove(0);
        assert_eq!((copy.path.as_str(), copy.header("x-raw")), ("/raw", &b""[..]));
    }
    let stats = web.switchyard.admin.stats().await;
    assert_eq!(stats.get("wasmcustom.switchyard_mirror_headers_skipped_total"), 4 * 3);
    web.assert_unharmed().await;
}

#[tokio::test]
async fn forged_headers_of_ours_have_no_effect_and_never_go_upstream() {
    let _turn = turn::alongside().await;
    let mirrored = "{match: [{uri: {exact: /mirrored}}], mirror: {host: web, subset: v2}, \
        route: [{destination: {host: web, subset: v1}}]}";
    let mut web = Web::with(&[mirrored]).await;
    let v2 = "outbound|8080|v2|web.default.svc.cluster.local";
    let forged = |host, path| {
        ["cluster", "Cluster", "retry", "mirror", "anything"]
            .iter()
            .fold(get(host, path), |call, name| {
                call.header(&format!("x-switchyard-{name}"), v2)
            })
            .header("X-SWITCHYARD-CLUSTER", b"\xff")
    };
    let unknown = forged("unheard.of", "/").send(web.address).await;
    assert_eq!(unknown.status, 404);
    for host in ["web:8080", "web.default.svc.cluster.local:8080", "plain:8080"] {
        for path in ["/plain", "/mirrored"] {
            let http1 = forged(host, path).send(web.address).await;
            let http2 = Http2::open(web.address).await.send(forged(host, path)).await.unwrap();
            assert_eq!(
                (http1.status.as_u16(), http2.status.as_u16()),
                (200, 200),
                "{host}{path}"
            );
        }
    }
    let to_v1 = web.v1.receives(12).await;
    let copies = web.v2.receives(4).await;
    assert_eq!((to_v1.len(), copies.len()), (12, 4));
    assert!(copies.iter().all(|copy| copy.path == "/mirrored"));
    for received in to_v1.iter().chain(&copies) {
        let ours = received
            .headers
            .keys()
            .find(|name| name.as_str().starts_with("x-switchyard"));
        assert_eq!(ours, None, "{}", received.path);
    }
    web.assert_unharmed().await;
}

#[tokio::test]
async fn a_missing_cluster_is_503_nc() {
    let _turn = turn::alongside().await;
    let missing = "{match: [{uri: {exact: /missing}}], route: [{destination: {host: web, subset: v9}}]}";
    let delayed = "{match: [{uri: {exact: /delayed}}], fault: {delay: {percentage: {value: 100}, fixedDelay: 0.1s}}, \
        route: [{destination: {host: nowhere}}]}";
    let mut web = Web::with(&[missing, delayed]).await;
    for path in ["/missing", "/delayed"] {
        for _ in 0..3 {
            let answer = get("web:8080", path).send(web.address).await;
            assert_eq!((answer.status.as_u16(), answer.text()), (503, ""), "{path}");
        }
    }
    web.assert_unharmed().await;
    let log = web.switchyard.access_log("web:8080", 7).await;
    for line in log.iter().filter(|line| line["path"] != "/still-there") {
        assert_eq!(
            (&line["response_flags"], &line["response_code_details"]),
            (&"NC".into(), &"cluster_not_found".into())
        );
    }
    assert!(web.v1.received().iter().all(|received| received.path == "/still-there"));
}

#[tokio::test]
async fn head_is_answered_without_a_body() {
    let _turn = turn::alongside().await;
    let mut web = Web::with(&[
        "{match: [{uri: {exact: /abort}}], fault: {abort: {percentage: {value: 100}, httpStatus: 500}}, \
            route: [{destination: {host: web, subset: v1}}]}",
        "{match: [{uri: {exact: /direct}}], directResponse: {status: 200, body: {string: 'eight by'}}}",
        "{match: [{uri: {exact: /redirect}}], redirect: {uri: /elsewhere}}",
        "{match: [{uri: {exact: /delay}}], fault: {delay: {percentage: {value: 100}, fixedDelay: 0.1s}}, \
            mirror: {host: web, subset: v2}, route: [{destination: {host: web, subset: v1}}]}",
        "{match: [{uri: {exact: /missing}}], route: [{destination: {host: web, subset: v9}}]}",
    ])
    .await;
    let expected = [
        ("/abort", 500),
        ("/direct", 200),
        ("/redirect", 301),
        ("/delay", 200),
        ("/missing", 503),
        ("/", 200),
    ];
    // On one connection: a body that HEAD must not have would be taken for the next answer.
    let mut connection = Connection::open(web.address).await.unwrap();
    let http2 = Http2::open(web.address).await;
    for (path, status) in expected {
        let head = || call("HEAD", "web:8080", path);
        let answers = [connection.send(head()).await, http2.send(head()).await.unwrap()];
        for answer in answers {
            assert_eq!((answer.status.as_u16(), answer.body.len()), (status, 0), "{path}");
        }
    }
    assert_eq!(web.v2.receives(2).await[0].method, "HEAD");
    web.assert_unharmed().await;
}

#[tokio::test]
async fn a_grpc_abort_is_a_grpc_status() {
    let _turn = turn::alongside().await;
    let abort = "{match: [{uri: {prefix: /shop.Cart/}}], \
        fault: {abort: {percentage: {value: 100}, grpcStatus: UNAVAILABLE}}, route: [{destination: {host: web, subset: v1}}]}";
    let delayed = "{match: [{uri: {prefix: /shop.Slow/}}], fault: {delay: {percentage: {value: 100}, fixedDelay: 0.1s}, \
        abort: {percentage: {value: 100}, grpcStatus: NOT_FOUND}}, route: [{destination: {host: web, subset: v1}}]}";
    let http = "{match: [{uri: {prefix: /shop.Http/}}], fault: {abort: {percentage: {value: 100}, httpStatus: 503}}, \
        route: [{destination: {host: web, subset: v1}}]}";
    let mut web = Web::with(&[abort, delayed, http]).await;
    let client = Http2::open(web.address).await;
    for (path, status) in [
        ("/shop.Cart/Add", "14"),
        ("/shop.Slow/Add", "5"),
        ("/shop.Http/Add", "14"),
    ] {
        for body in [&b""[..], b"\0\0\0\0\x05hello"] {
            let grpc = call("POST", "web:8080", path)
                .header(CONTENT_TYPE.as_str(), "application/grpc")
                .body(body);
            let answer = client.send(grpc).await.unwrap();
            assert_eq!(
                (answer.status.as_u16(), answer.header("grpc-status")),
                (200, status),
                "{path}"
            );
            assert_eq!(answer.header("grpc-message"), "fault filter abort");
            assert_eq!(answer.header("content-type"), "application/grpc");
        }
    }
    // Who does not speak gRPC gets what Envoy's own filter gives: 200 with the text.
    let plain = get("web:8080", "/shop.Cart/Add").send(web.address).await;
    assert_eq!((plain.status.as_u16(), plain.text()), (200, "fault filter abort"));
    assert!(web.v1.received().is_empty());
    web.assert_unharmed().await;
}
