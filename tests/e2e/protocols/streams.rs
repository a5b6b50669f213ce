//! Bodies that take their time, or have no end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::{Request, Response};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::{mirrors_sent, mirrors_skipped};
use crate::support::http::{Call, Connection, Http2, call, get};
use crate::support::manifest::{service, subsets, virtual_service};
use crate::support::turn;
use crate::support::upstream::{Behaviour, Upstream, serve};
use crate::support::web::{Front, Web};

const SOON: Duration = Duration::from_secs(5);

/// A body that the test feeds; dropping the sender ends it.
fn fed() -> (
    mpsc::Sender<Bytes>,
    impl Stream<Item = Frame<Bytes>> + Send + Sync + 'static,
) {
    let (feed, food) = mpsc::channel(1);
    let next = |mut food: mpsc::Receiver<Bytes>| async { Some((Frame::data(food.recv().await?), food)) };
    (feed, stream::unfold(food, next))
}

/// The next piece of a body, which comes at once.
async fn next(body: &mut Incoming) -> Bytes {
    let frame = timeout(SOON, body.frame()).await.expect("it is kept back");
    frame.unwrap().unwrap().into_data().unwrap()
}

/// What is left of a body that ends.
async fn rest(answer: Response<Incoming>) -> Bytes {
    let rest = timeout(SOON, answer.collect()).await.expect("it does not end");
    rest.unwrap().to_bytes()
}

/// An HTTP/1.1 and an HTTP/2 connection.
struct Clients(Connection, Http2);

impl Clients {
    async fn open(to: SocketAddr) -> Self {
        Self(Connection::open(to).await.unwrap(), Http2::open(to).await)
    }

    async fn begin(&mut self, http2: bool, call: Call) -> Response<Incoming> {
        let answer = if http2 {
            self.1.begin(call).await
        } else {
            self.0.begin(call).await
        };
        answer.unwrap()
    }
}

/// The service `web:8080` with something of the test's own as v1; v2 gets copies.
async fn front(v1: SocketAddr, v2: &Upstream, rules: &[&str]) -> Front {
    let manifests = [
        service("web", 8080, &[("v1", v1), ("v2", v2.address)]),
        subsets("web", &["v1", "v2"]),
        virtual_service("web", rules),
    ];
    Front::of(json!({"maxMirrorBodyBytes": 100_000}), &manifests).await
}

const MIRRORED: &str = "{match: [{uri: {exact: /mirrored}}], mirror: {host: web, subset: v2}, route: [{destination: {host: web, subset: v1}}]}";
const EVERYTHING: &str = "{match: [{uri: {exact: /everything}}], mirror: {host: web, subset: v2}, \
    fault: {delay: {percentage: {value: 100}, fixedDelay: 0.1s}}, \
    headers: {request: {set: {x-added: a}}, response: {set: {x-seen: b}}}, route: [{destination: {host: web, subset: v1}}]}";
const TO_V1: &str = "{route: [{destination: {host: web, subset: v1}}]}";

#[tokio::test]
async fn each_event_arrives_when_it_is_sent_and_the_request_is_copied_at_once() {
    let _turn = turn::alongside().await;
    let feeds = Arc::new(Mutex::new(Vec::new()));
    let fed_by_test = Arc::clone(&feeds);
    let v1 = serve(move |_| {
        let (feed, events) = fed();
        fed_by_test.lock().unwrap().push(feed);
        let response = Response::builder().header("content-type", "text/event-stream");
        async { Ok(response.body(StreamBody::new(events.map(Ok::<_, Infallible>))).unwrap()) }
    })
    .await;
    let v2 = Upstream::start(Behaviour::default()).await;
    let mut front = front(v1, &v2, &[MIRRORED, EVERYTHING, TO_V1]).await;
    let mut clients = Clients::open(front.address).await;
    for path in ["/plain", "/mirrored", "/everything"] {
        for http2 in [false, true] {
            v2.forget();
            let events = get("web:8080", path).header("accept", "text/event-stream");
            let mut answer = clients.begin(http2, events).await;
            assert_eq!(answer.headers()["content-type"], "text/event-stream");
            assert_eq!(answer.headers().contains_key("x-seen"), path == "/everything");
            let feed = feeds.lock().unwrap().pop().unwrap();
            for number in 0..3 {
                // Nothing more comes before the client has this one.
                let event = format!("data: {number}\n\n");
                feed.send(event.clone().into()).await.unwrap();
                assert_eq!(next(answer.body_mut()).await, event, "{path}");
            }
            // The stream has not ended, and the copy is there.
            assert_eq!(
                v2.receives(usize::from(path != "/plain")).await.len(),
                usize::from(path != "/plain")
            );
            drop(feed);
            assert_eq!(rest(answer).await, "", "{path}");
        }
    }
    assert_eq!(mirrors_skipped(&front.switchyard.admin.stats().await), 0);
    front.switchyard.assert_unharmed().await;
}

#[tokio::test]
async fn an_endless_body_is_not_held_back_and_its_copy_is_given_up_at_the_limit() {
    let _turn = turn::alongside().await;
    // Says what it hears.
    let v1 = serve(async |request: Request<Incoming>| Ok(Response::new(request.into_body()))).await;
    let v2 = Upstream::start(Behaviour::default()).await;
    let mut front = front(v1, &v2, &[MIRRORED, EVERYTHING, TO_V1]).await;
    let mut clients = Clients::open(front.address).await;
    for (number, (path, http2)) in [("/mirrored", false), ("/mirrored", true), ("/everything", true)]
        .into_iter()
        .enumerate()
    {
        let (feed, pieces) = fed();
        // The head of the answer may wait for the first piece.
        feed.send(Bytes::from("begin")).await.unwrap();
        let mut answer = clients
            .begin(http2, call("POST", "web:8080", path).frames(pieces))
            .await;
        assert_eq!(next(answer.body_mut()).await, "begin");
        for piece in 0..8 {
            let skipped = mirrors_skipped(&front.switchyard.admin.stats().await);
            assert_eq!(skipped, number as u64 + u64::from(piece > 4), "after {piece} pieces");
            let sent = Bytes::from(vec![piece as u8; 20_000]);
            feed.send(sent.clone()).await.unwrap();
            let mut heard = Vec::new();
            while heard.len() < sent.len() {
                heard.extend_from_slice(&next(answer.body_mut()).await);
            }
            assert!(heard == sent, "piece {piece} is another");
        }
        drop(feed);
        assert_eq!(rest(answer).await, "");
    }
    assert_eq!(mirrors_sent(&front.switchyard.admin.stats().await), 0);
    assert!(v2.received().is_empty());
    front.switchyard.assert_unharmed().await;
}

/// Sends the head of a request whose body waits to be asked for, and returns the head of the first answer.
async fn expecting(front: &Front, path: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(front.address).await.unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nhost: web:8080\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer = head_of_answer(&mut stream).await;
    (stream, answer)
}

async fn head_of_answer(stream: &mut TcpStream) -> String {
    let mut answer = String::new();
    while !answer.ends_with("\r\n\r\n") {
        let byte = timeout(SOON, stream.read_u8()).await.expect("nothing comes").unwrap();
        answer.push(char::from(byte));
    }
    answer
}

#[tokio::test]
async fn a_body_that_waits_to_be_asked_for_is_asked_for_by_the_upstream() {
    let _turn = turn::alongside().await;
    let v1 = serve(async |request: Request<Incoming>| {
        let refused = request.uri().path() == "/refused";
        let asked_for = async { request.into_body().collect().await.unwrap().to_bytes() };
        let body = if refused { Bytes::new() } else { asked_for.await };
        Ok(Response::builder()
            .status(if refused { 417 } else { 200 })
            .body(Full::new(body))
            .unwrap())
    })
    .await;
    let v2 = Upstream::start(Behaviour::default()).await;
    let mut front = front(v1, &v2, &[MIRRORED, EVERYTHING, TO_V1]).await;
    for path in ["/plain", "/mirrored", "/everything"] {
        let (mut stream, answer) = expecting(&front, path).await;
        assert!(answer.starts_with("HTTP/1.1 100 "), "{path}: {answer}");
        stream.write_all(b"body").await.unwrap();
        let answer = head_of_answer(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{path}: {answer}");
        let mut echo = [0; 4];
        stream.read_exact(&mut echo).await.unwrap();
        assert_eq!(&echo, b"body", "{path}");
    }
    for copy in v2.receives(2).await {
        assert_eq!((&copy.body[..], copy.header("expect")), (&b"body"[..], &b""[..]));
    }
    // Nobody asks for a body that the upstream does not want.
    let (_stream, answer) = expecting(&front, "/refused").await;
    assert!(answer.starts_with("HTTP/1.1 417 "), "{answer}");
    front.switchyard.assert_unharmed().await;
}

#[tokio::test]
async fn an_answer_may_come_before_the_body_has_ended() {
    let _turn = turn::alongside().await;
    let v1 = serve(async |_| Ok(Response::builder().status(413).body(Empty::<Bytes>::new()).unwrap())).await;
    let v2 = Upstream::start(Behaviour::default()).await;
    let mut front = front(v1, &v2, &[MIRRORED, EVERYTHING, TO_V1]).await;
    for (path, http2) in [
        ("/plain", false),
        ("/mirrored", false),
        ("/plain", true),
        ("/everything", true),
    ] {
        let mut clients = Clients::open(front.address).await;
        let (feed, pieces) = fed();
        feed.send(Bytes::from("begin")).await.unwrap();
        let answer = clients
            .begin(http2, call("POST", "web:8080", path).frames(pieces))
            .await;
        assert_eq!(answer.status(), 413, "{path}");
        drop(feed);
    }
    // What was not whole is not copied.
    let skipped = |stats: &_| mirrors_skipped(stats) == 2;
    front.switchyard.admin.until("are both given up", skipped).await;
    assert!(v2.received().is_empty());
    front.switchyard.assert_unharmed().await;
}

#[tokio::test]
async fn clients_that_leave_while_they_are_copied_leave_no_room_taken() {
    let _turn = turn::alongside().await;
    let mirrored = "{match: [{uri: {exact: /mirrored}}], mirror: {host: web, subset: v2}, route: [{destination: {host: web, subset: v1}}]}";
    let options = json!({"maxMirrorBufferBytes": 1_000_000, "maxMirrorBodyBytes": 900_000, "maxActiveMirrors": 1});
    let mut web = Web::with_options(options, &[mirrored]).await;
    for round in 1..=3 {
        let mut leaving = Vec::new();
        for client in 0..4 {
            let mut stream = TcpStream::connect(web.address).await.unwrap();
            let head = "POST /mirrored HTTP/1.1\r\nhost: web:8080\r\ncontent-length: 300000\r\n\r\n";
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(&[0; 200_000]).await.unwrap();
            if client % 2 == 0 {
                stream.set_zero_linger().unwrap();
            }
            leaving.push(stream);
        }
        let http2 = Http2::open(web.address).await;
        let (feed, pieces) = fed();
        feed.send(vec![0; 200_000].into()).await.unwrap();
        let call_ = http2.begin(call("POST", "web:8080", "/mirrored").frames(pieces));
        assert!(timeout(Duration::from_millis(500), call_).await.is_err());
        drop((leaving, feed));
        let all_left = |stats: &_| mirrors_skipped(stats) == 5 * round;
        web.switchyard.admin.until("are all given up", all_left).await;
        // The room is theirs no more, whether copies fail or not.
        for hangs_up in [true, false] {
            web.v2.behave(Behaviour {
                hangs_up,
                ..Behaviour::default()
            });
            let whole = call("POST", "web:8080", "/mirrored").body(vec![1; 900_000]);
            assert_eq!(whole.send(web.address).await.status, 200);
            let failed = |stats: &crate::support::admin::Stats| {
                stats.get("wasmcustom.switchyard_mirror_failures_total") == round
            };
            web.switchyard.admin.until("has the first failed", failed).await;
        }
        assert_eq!(web.v2.receives(round as usize).await.pop().unwrap().body.len(), 900_000);
    }
    web.assert_unharmed().await;
}
