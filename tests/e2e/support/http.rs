//! A client that does what it is told and nothing else: no retries, no pool, and a connection that breaks is a failure.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use futures_util::{Stream, StreamExt};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::header::{HOST, HeaderMap};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

/// No test waits longer for one answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub trailers: HeaderMap,
    /// From the first byte sent to the last byte got.
    pub took: Duration,
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// A header's value; empty if it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A request in the making: `get("reviews:9080", "/reviews/0").header("end-user", "jason")`.
pub struct Call {
    request: hyper::http::request::Builder,
    body: Body,
}

type Body = BoxBody<Bytes, Infallible>;

pub fn call(method: &str, host: &str, path: &str) -> Call {
    Call {
        request: Request::builder().method(method).uri(path).header(HOST, host),
        body: Full::default().boxed(),
    }
}

pub fn get(host: &str, path: &str) -> Call {
    call("GET", host, path)
}

impl Call {
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.request = self.request.header(name, value.as_ref());
        self
    }

    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Full::new(body.into()).boxed();
        self
    }

    /// A body of unknown length, that comes in these pieces.
    pub fn pieces(self, pieces: Vec<Bytes>) -> Self {
        let frames = pieces.into_iter().map(Frame::data);
        self.frames(futures_util::stream::iter(frames))
    }

    /// A body that comes as it comes, trailers too.
    pub fn frames(mut self, frames: impl Stream<Item = Frame<Bytes>> + Send + Sync + 'static) -> Self {
        self.body = BodyExt::boxed(StreamBody::new(frames.map(Ok)));
        self
    }

    fn build(self) -> Request<Body> {
        self.request.body(self.body).unwrap()
    }

    /// Sends it on a connection of its own. A broken connection or no answer in 30 s fails the test.
    pub async fn send(self, to: SocketAddr) -> Answer {
        self.try_send(to).await.unwrap_or_else(|error| panic!("{to}: {error}"))
    }

    /// As [`send`](Call::send), for clients that expect to be turned away.
    pub async fn try_send(self, to: SocketAddr) -> Result<Answer, String> {
        Connection::open(to).await?.try_send(self).await
    }
}

/// One HTTP/1.1 connection, for one request after the other.
pub struct Connection(http1::SendRequest<Body>);

impl Connection {
    pub async fn open(to: SocketAddr) -> Result<Self, String> {
        Self::open_from(Ipv4Addr::UNSPECIFIED.into(), to).await
    }

    /// From an address of this machine.
    pub async fn open_from(from: IpAddr, to: SocketAddr) -> Result<Self, String> {
        let (sender, connection) = http1::handshake(connect(from, to).await?).await.map_err(text)?;
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    pub async fn send(&mut self, call: Call) -> Answer {
        self.try_send(call).await.unwrap_or_else(|error| panic!("{error}"))
    }

    pub async fn try_send(&mut self, call: Call) -> Result<Answer, String> {
        whole(self.begin(call)).await
    }

    /// As [`try_send`](Self::try_send), until the head of the answer is there.
    pub async fn begin(&mut self, call: Call) -> Result<Response<Incoming>, String> {
        self.0.ready().await.map_err(not_sent)?;
        self.0.send_request(call.build()).await.map_err(failed)
    }
}

/// Sends a call so many times, so many at once, each sender on a connection of its own.
pub async fn load(to: SocketAddr, calls: usize, senders: usize, call: impl Fn() -> Call) -> Vec<Answer> {
    let mut all = JoinSet::new();
    for sender in 0..senders {
        let own: Vec<Call> = (sender..calls).step_by(senders).map(|_| call()).collect();
        all.spawn(async move {
            let mut connection = Connection::open(to).await.unwrap();
            let mut answers = Vec::new();
            for call in own {
                answers.push(connection.send(call).await);
            }
            answers
        });
    }
    all.join_all().await.into_iter().flatten().collect()
}

/// One HTTP/2 connection, for many requests at once.
#[derive(Clone)]
pub struct Http2(http2::SendRequest<Body>);

impl Http2 {
    pub async fn open(to: SocketAddr) -> Self {
        Self::try_open(to).await.unwrap()
    }

    pub async fn try_open(to: SocketAddr) -> Result<Self, String> {
        let io = connect(Ipv4Addr::UNSPECIFIED.into(), to).await?;
        let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.map_err(text)?;
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    pub async fn send(&self, call: Call) -> Result<Answer, String> {
        whole(self.begin(call)).await
    }

    /// As [`send`](Self::send), until the head of the answer is there.
    pub async fn begin(&self, call: Call) -> Result<Response<Incoming>, String> {
        let mut sender = self.0.clone();
        sender.ready().await.map_err(not_sent)?;
        let mut request = call.build();
        // HTTP/2 has the host in the target.
        let host = request.headers_mut().remove(HOST).unwrap();
        let target = format!("http://{}{}", host.to_str().unwrap(), request.uri());
        *request.uri_mut() = target.parse().unwrap();
        sender.send_request(request).await.map_err(failed)
    }
}

async fn connect(from: IpAddr, to: SocketAddr) -> Result<TokioIo<TcpStream>, String> {
    let socket = TcpSocket::new_v4().map_err(text)?;
    if !from.is_unspecified() {
        socket.bind((from, 0).into()).map_err(text)?;
    }
    let stream = socket.connect(to).await.map_err(text)?;
    stream.set_nodelay(true).map_err(text)?;
    Ok(TokioIo::new(stream))
}

async fn whole(response: impl Future<Output = Result<Response<Incoming>, String>>) -> Result<Answer, String> {
    let begin = Instant::now();
    let answer = async {
        let (parts, body) = response.await?.into_parts();
        let body = body.collect().await.map_err(text)?;
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            trailers: body.trailers().cloned().unwrap_or_default(),
            body: body.to_bytes(),
            took: begin.elapsed(),
        })
    };
    let gave_up = |_| Err(format!("no answer in {PATIENCE:?}"));
    tokio::time::timeout(PATIENCE, answer).await.unwrap_or_else(gave_up)
}

/// Begins the error of a request that never left, for the connection is at its end.
pub const NOT_SENT: &str = "not sent: ";

fn not_sent(error: hyper::Error) -> String {
    format!("{NOT_SENT}{}", text(error))
}

fn failed(error: hyper::Error) -> String {
    if error.is_canceled() {
        not_sent(error)
    } else {
        text(error)
    }
}

/// With its cause, which says most.
fn text(error: impl std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
