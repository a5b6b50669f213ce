//! WebSocket upgrades.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use hyper::HeaderMap;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async, client_async};

use super::{mirrors_sent, mirrors_skipped};
use crate::support::manifest::{service, subsets, virtual_service};
use crate::support::turn;
use crate::support::upstream::{Behaviour, Upstream};
use crate::support::web::Front;

/// A server that says what it hears, and at the upgrade what it got of `x-added`.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                #[expect(clippy::result_large_err, reason = "tungstenite's own")]
                let tell = |request: &Request, mut response: Response| {
                    if let Some(added) = request.headers().get("x-added") {
                        response.headers_mut().insert("x-heard-added", added.clone());
                    }
                    Ok(response)
                };
                let mut socket = accept_hdr_async(stream, tell).await.unwrap();
                while let Some(Ok(message)) = socket.next().await {
                    if message.is_text() || message.is_binary() {
                        socket.send(message).await.unwrap();
                    }
                }
            });
        }
    });
    address
}

async fn open(front: &Front, path: &str) -> Result<(WebSocketStream<TcpStream>, HeaderMap), Error> {
    let stream = TcpStream::connect(front.address).await.unwrap();
    let request = format!("ws://chat:8080{path}").into_client_request().unwrap();
    let (socket, response) = client_async(request, stream).await?;
    Ok((socket, response.headers().clone()))
}

/// Text, bytes and a ping there and back, one after the other, and a close that is answered.
async fn converse(mut socket: WebSocketStream<TcpStream>) {
    let noise: Vec<u8> = (0..300_000_u32).map(|at| (at * 31) as u8).collect();
    for said in [Message::text("hello"), Message::binary(noise), Message::text("")] {
        socket.send(said.clone()).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), said);
    }
    socket.send(Message::Ping("are you there".into())).await.unwrap();
    assert_eq!(
        socket.next().await.unwrap().unwrap(),
        Message::Pong("are you there".into())
    );
    let goodbye = CloseFrame {
        code: CloseCode::Normal,
        reason: "done".into(),
    };
    socket.close(Some(goodbye.clone())).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::Close(Some(goodbye)));
}

#[tokio::test]
async fn an_upgrade_is_delayed_refused_and_edited_as_any_request_and_never_copied() {
    let _turn = turn::alongside().await;
    let chat = echo().await;
    let v2 = Upstream::start(Behaviour::default()).await;
    let to = "route: [{destination: {host: chat, subset: v1}}]";
    let delay = "delay: {percentage: {value: 100}, fixedDelay: 0.1s}";
    let rules = [
        format!("{{match: [{{uri: {{exact: /delayed}}}}], fault: {{{delay}}}, {to}}}"),
        format!("{{match: [{{uri: {{exact: /mirrored}}}}], mirror: {{host: chat, subset: v2}}, {to}}}"),
        format!(
            "{{match: [{{uri: {{exact: /everything}}}}], fault: {{{delay}}}, mirror: {{host: chat, subset: v2}}, rewrite: {{uri: /}}, \
            timeout: 0.2s, headers: {{request: {{set: {{x-added: a}}}}, response: {{set: {{x-seen: b}}}}}}, {to}}}"
        ),
        format!(
            "{{match: [{{uri: {{exact: /aborted}}}}], fault: {{{delay}, abort: {{percentage: {{value: 100}}, httpStatus: 418}}}}, {to}}}"
        ),
        format!("{{{to}}}"),
    ];
    let manifests = [
        service("chat", 8080, &[("v1", chat), ("v2", v2.address)]),
        subsets("chat", &["v1", "v2"]),
        virtual_service("chat", &rules.each_ref().map(String::as_str)),
    ];
    let mut front = Front::of(json!({}), &manifests).await;
    for (path, waits) in [
        ("/plain", false),
        ("/delayed", true),
        ("/mirrored", false),
        ("/everything", true),
    ] {
        let begin = Instant::now();
        let (socket, headers) = open(&front, path).await.unwrap();
        assert_eq!(
            begin.elapsed() >= Duration::from_millis(98),
            waits,
            "{path}: {:?}",
            begin.elapsed()
        );
        let edited = path == "/everything";
        let header = |name| headers.get(name).map(|value| value.to_str().unwrap());
        assert_eq!(
            (header("x-heard-added"), header("x-seen")),
            (edited.then_some("a"), edited.then_some("b")),
            "{path}"
        );
        if edited {
            // A timeout is for the answer, and the answer was the upgrade.
            tokio::time::sleep(Duration::from_millis(400)).await;
        }
        converse(socket).await;
    }
    let Err(Error::Http(refusal)) = open(&front, "/aborted").await else {
        panic!("it is not refused");
    };
    assert_eq!(refusal.status(), 418);
    assert_eq!(refusal.headers()["content-length"], "18");
    let stats = front.switchyard.admin.stats().await;
    assert_eq!((mirrors_skipped(&stats), mirrors_sent(&stats)), (2, 0));
    assert!(v2.received().is_empty());
    front.switchyard.assert_unharmed().await;
}
