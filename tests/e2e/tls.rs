//! TLS from files: a gateway that accepts it, and callers whose DestinationRules ask for it.

use std::net::SocketAddr;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::http::get;
use crate::support::manifest::{service, subsets};
use crate::support::ports::Port;
use crate::support::switchyard::Switchyard;
use crate::support::turn;
use crate::support::upstream::{Behaviour, Upstream};

fn file(name: &str) -> String {
    format!("{}/testdata/tls/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A gateway with plain HTTP that redirects, TLS, and TLS that asks for a certificate.
fn gateway() -> String {
    let [shop, shop_key, admin, admin_key, client] =
        ["shop.pem", "shop.key", "admin.pem", "admin.key", "client.pem"].map(file);
    format!(
        "\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: edge}}
spec:
  servers:
  - port: {{number: 80, name: http, protocol: HTTP}}
    hosts: [shop.example.com]
    tls: {{httpsRedirect: true}}
  - port: {{number: 443, name: https-shop, protocol: HTTPS}}
    hosts: [shop.example.com]
    tls: {{mode: SIMPLE, serverCertificate: {shop}, privateKey: {shop_key}}}
  - port: {{number: 443, name: https-admin, protocol: HTTPS}}
    hosts: [admin.example.com]
    tls: {{mode: MUTUAL, serverCertificate: {admin}, privateKey: {admin_key}, caCertificates: {client}}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: shop}}
spec:
  hosts: [shop.example.com, admin.example.com]
  gateways: [edge]
  http:
  - match: [{{scheme: {{exact: https}}}}]
    headers: {{response: {{set: {{x-over: \"%DOWNSTREAM_TLS_VERSION% (%DOWNSTREAM_PEER_SUBJECT%) %REQUESTED_SERVER_NAME%\"}}}}}}
    route: [{{destination: {{host: web, subset: v1}}}}]
"
    )
}

/// A name outside whose requests go to an address, under a policy.
fn outside(name: &str, address: SocketAddr, policy: &str) -> String {
    format!(
        "\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: {name}}}
spec:
  hosts: [{name}.example.com]
  location: MESH_EXTERNAL
  resolution: STATIC
  ports: [{{number: 8080, name: http, protocol: HTTP}}]
  endpoints: [{{address: {}, ports: {{http: {}}}}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: {name}}}
spec: {{host: {name}.example.com, trafficPolicy: {{{policy}}}}}
",
        address.ip(),
        address.port()
    )
}

/// One caller's listener.
async fn caller(manifests: &[String]) -> (Switchyard, Port) {
    let held = Port::reserve();
    let ports = json!([{"number": 8080, "listen": held.address().port()}]);
    let callers = json!({"callers": [{"name": "client", "ports": ports}]});
    (Switchyard::start(&callers.to_string(), manifests).await, held)
}

#[tokio::test]
async fn tls_is_accepted_and_asked_for_by_files_and_plain_requests_are_redirected() {
    let _turn = turn::alongside().await;
    let upstream = Upstream::start(Behaviour::default()).await;
    let (http, https) = (Port::reserve(), Port::reserve());
    let ports = json!([
        {"number": 80, "listen": http.address().port()}, {"number": 443, "listen": https.address().port()}]);
    let edge = json!({"callers": [{"name": "edge", "gateway": true, "ports": ports}]});
    let services = [
        service("web", 8080, &[("v1", upstream.address)]),
        subsets("web", &["v1"]),
        gateway(),
    ];
    let _edge = Switchyard::start(&edge.to_string(), &services).await;

    let answer = get("shop.example.com", "/cart?item=1").send(http.address()).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (301, "https://shop.example.com/cart?item=1")
    );

    let [shop, admin, client, key] = ["shop.pem", "admin.pem", "client.pem", "client.key"].map(file);
    let own = format!("clientCertificate: {client}, privateKey: {key}");
    let to = https.address();
    let (caller, held) = caller(&[
        outside("shop", to, &format!("tls: {{mode: SIMPLE, caCertificates: {shop}}}")),
        outside("admin", to, &format!("tls: {{mode: MUTUAL, caCertificates: {admin}, {own}}}")),
        // Each lacks one thing.
        outside(
            "nameless",
            to,
            &format!("tls: {{mode: SIMPLE, caCertificates: {admin}, sni: admin.example.com, subjectAltNames: [admin.example.com]}}"),
        ),
        outside(
            "distrustful",
            to,
            &format!("tls: {{mode: SIMPLE, caCertificates: {client}, sni: shop.example.com}}"),
        ),
        outside(
            "mistaken",
            to,
            &format!("tls: {{mode: SIMPLE, caCertificates: {shop}, sni: shop.example.com, subjectAltNames: [other.example.com]}}"),
        ),
    ])
    .await;
    for (host, over) in [
        ("shop.example.com", "TLSv1.3 () shop.example.com"),
        ("admin.example.com", "TLSv1.3 (CN=client) admin.example.com"),
    ] {
        let answer = get(host, "/").send(held.address()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("x-over"), answer.text()),
            (200, over, "upstream"),
            "{host}"
        );
    }
    assert_eq!(upstream.received().len(), 2);
    for host in [
        "nameless.example.com",
        "distrustful.example.com",
        "mistaken.example.com",
    ] {
        assert_eq!(get(host, "/").send(held.address()).await.status, 503, "{host}");
    }
    assert_eq!(upstream.received().len(), 2);
    let log = caller.access_log("mistaken.example.com", 1).await;
    let reason = log[0]["upstream_transport_failure_reason"].as_str().unwrap();
    assert!(reason.contains("CERTIFICATE_VERIFY_FAILED"), "{reason}");
}

#[tokio::test]
async fn an_upstream_is_told_who_calls_where_a_rule_asks_for_the_proxy_protocol() {
    let _turn = turn::alongside().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (_caller, held) = caller(&[outside("old", address, "proxyProtocol: {version: V1}")]).await;
    let heard = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            stream.read_buf(&mut bytes).await.unwrap();
        }
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            .await
            .unwrap();
        String::from_utf8(bytes).unwrap()
    });
    assert_eq!(get("old.example.com", "/").send(held.address()).await.status, 200);
    let heard = heard.await.unwrap();
    let port = held.address().port();
    assert!(
        heard.starts_with("PROXY TCP4 127.0.0.1 127.0.0.1 ")
            && heard.contains(&format!(" {port}\r\nGET / HTTP/1.1\r\n")),
        "{heard}"
    );
}
