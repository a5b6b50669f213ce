//! What Envoy makes of odd requests, it makes of them with our filter too.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::http::{Answer, Http2, call};
use crate::support::manifest::{service, virtual_service};
use crate::support::turn;
use crate::support::twin::Twins;
use crate::support::upstream::{Behaviour, Received, Upstream};

/// All that comes back for these bytes, until the connection is closed or still for a while.
async fn exchange(to: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(to).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let (mut said, mut some) = (Vec::new(), [0; 4096]);
    while let Ok(Ok(length @ 1..)) = timeout(Duration::from_millis(400), stream.read(&mut some)).await {
        said.extend_from_slice(&some[..length]);
    }
    String::from_utf8(said).unwrap()
}

/// Less what differs from one request to the next.
fn same(answer: &str) -> String {
    let differs = ["date: ", "x-envoy-upstream-service-time: ", "x-request-id: "];
    let lines = answer.split_inclusive("\r\n");
    lines
        .filter(|line| !differs.iter().any(|name| line.starts_with(name)))
        .collect()
}

fn as_received(mut request: Received) -> String {
    request.headers.remove("x-request-id");
    format!("{request:#?}")
}

/// The service `web:8080`, every request for which is copied to v2.
async fn twins() -> (Twins, Upstream, Upstream) {
    let v1 = Upstream::start(Behaviour::default()).await;
    let v2 = Upstream::start(Behaviour::default()).await;
    let manifests = [
        service("web", 8080, &[("v1", v1.address)]),
        service("copies", 8080, &[("v2", v2.address)]),
        virtual_service(
            "web",
            &["{mirror: {host: copies}, route: [{destination: {host: web}}]}"],
        ),
    ];
    (Twins::start(&manifests, |_| ()).await, v1, v2)
}

#[tokio::test]
async fn odd_requests_get_envoys_own_answers() {
    let _turn = turn::alongside().await;
    let (twins, v1, v2) = twins().await;
    let requests = [
        "TRACE /a HTTP/1.1\r\nhost: web:8080\r\n\r\n",
        "TRACE /a HTTP/1.1\r\nhost: web:8080\r\ncontent-length: 3\r\n\r\nabc",
        "CONNECT web:8080 HTTP/1.1\r\nhost: web:8080\r\n\r\n",
        "CONNECT elsewhere.example:443 HTTP/1.1\r\nhost: elsewhere.example:443\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nhost: web:8080\r\n\r\n",
        "HEAD /a HTTP/1.1\r\nhost: web:8080\r\n\r\n",
        "DELETE /a HTTP/1.1\r\nhost: web:8080\r\ncontent-length: 3\r\n\r\nabc",
        "BREW /a HTTP/1.1\r\nhost: web:8080\r\n\r\n",
        "GET http://web:8080/a?b HTTP/1.1\r\nhost: other\r\n\r\n",
        "GET /a HTTP/1.0\r\nhost: web:8080\r\n\r\n",
        "GET /a HTTP/1.1\r\n\r\n",
        "GET /a#b HTTP/1.1\r\nhost: web:8080\r\n\r\n",
        "GET /a HTTP/1.1\r\nhost: web:8080\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n\r\n",
        "GET /a HTTP/1.1\r\nhost: web:8080\r\nconnection: upgrade\r\nupgrade: something\r\n\r\n",
        "GET /a HTTP/1.1\r\nhost: web:8080\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
        "POST /a HTTP/1.1\r\nhost: web:8080\r\nexpect: something\r\ncontent-length: 3\r\n\r\nabc",
        "POST /a HTTP/1.1\r\nhost: web:8080\r\ntransfer-encoding: chunked\r\ntrailer: x-t\r\n\r\n3\r\nabc\r\n0\r\nx-t: 1\r\n\r\n",
        "POST /a HTTP/1.1\r\nhost: web:8080\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "POST /a HTTP/1.1\r\nhost: web:8080\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc",
        "GET /a HTTP/1.1\r\nhost: web:8080\r\n\r\nGET /b HTTP/1.1\r\nhost: web:8080\r\n\r\n",
    ];
    for request in requests {
        let (ours, native) = tokio::join!(exchange(twins.ours, request), exchange(twins.native, request));
        assert_eq!(same(&ours), same(&native), "{request}");
        // What went upstream of both is the same, too.
        let mut received: Vec<String> = v1.received().into_iter().map(as_received).collect();
        v1.forget();
        received.sort();
        received.dedup();
        assert!(
            received.len() <= request.matches(" HTTP/1.").count(),
            "{request}{received:#?}"
        );
    }
    let (ours, native) = (Http2::open(twins.ours).await, Http2::open(twins.native).await);
    for method in ["TRACE", "OPTIONS", "CONNECT"] {
        let request = || call(method, "web:8080", "/a");
        let seen = |answer: Answer| (answer.status, answer.body);
        let (ours, native) = (ours.send(request()).await, native.send(request()).await);
        assert_eq!(ours.map(seen), native.map(seen), "{method}");
    }
    // Those that went upstream were copied.
    let copies = v2.receives(12).await;
    let methods: Vec<&str> = copies.iter().map(|copy| copy.method.as_str()).collect();
    let upstream = [
        "TRACE", "TRACE", "HEAD", "DELETE", "GET", "GET", "POST", "POST", "GET", "GET", "TRACE", "OPTIONS",
    ];
    assert_eq!(methods, upstream);
}
