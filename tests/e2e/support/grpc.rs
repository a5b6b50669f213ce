//! gRPC by tonic, without generated code: its messages are bytes.

use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BufMut;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, Stream, StreamExt};
use hyper::body::{Buf, Bytes, Incoming};
use hyper::client::conn::http2;
use hyper::http::uri::PathAndQuery;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tonic::body::Body;
use tonic::client::{Grpc, GrpcService};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataMap;
use tonic::server::StreamingService;
use tonic::{Code, Request, Response, Status, Streaming};

use super::upstream;

/// Says each message as it hears it.
pub const ECHO: &str = "/shop.Echo/Echo";
/// As [`ECHO`], and when the client is done it fails: [`Code::DataLoss`], `as told`, with a trailer `x-reason`.
pub const FAIL: &str = "/shop.Echo/Fail";
/// As [`ECHO`], and begins to answer after 5 s.
pub const SLOW: &str = "/shop.Echo/Slow";
/// As [`ECHO`], and ends 5 s after the client is done.
pub const LONG: &str = "/shop.Echo/Long";

/// Starts the service. Its answers tell what it heard of `x-added` and `grpc-timeout`: as `x-heard-added` and `x-heard-timeout`.
pub async fn serve() -> SocketAddr {
    upstream::serve(|request| async {
        let echo = Echo(request.uri().path().to_owned());
        let mut server = tonic::server::Grpc::new(Plain);
        Ok(server.streaming(echo, request).await)
    })
    .await
}

struct Echo(String);

impl StreamingService<Bytes> for Echo {
    type Response = Bytes;
    type ResponseStream = BoxStream<'static, Result<Bytes, Status>>;
    type Future = BoxFuture<'static, Result<Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, request: Request<Streaming<Bytes>>) -> Self::Future {
        let path = self.0.clone();
        let (heard, _, said) = request.into_parts();
        let later = || tokio::time::sleep(Duration::from_secs(5));
        async move {
            let said = match path.as_str() {
                FAIL => said.chain(stream::once(async { Err(failure()) })).boxed(),
                LONG => said.chain(stream::once(later()).filter_map(async |()| None)).boxed(),
                _ => said.boxed(),
            };
            if path == SLOW {
                later().await;
            }
            let mut response = Response::new(said);
            for (name, told) in [("x-added", "x-heard-added"), ("grpc-timeout", "x-heard-timeout")] {
                if let Some(value) = heard.get(name) {
                    response.metadata_mut().insert(told, value.clone());
                }
            }
            Ok(response)
        }
        .boxed()
    }
}

fn failure() -> Status {
    let mut trailers = MetadataMap::new();
    trailers.insert("x-reason", "none".parse().unwrap());
    Status::with_metadata(Code::DataLoss, "as told", trailers)
}

/// A client on one connection.
pub struct Client {
    grpc: Grpc<Connection>,
    headers: Vec<(&'static str, String)>,
}

impl Client {
    /// Of the service that `host` names.
    pub async fn open(to: SocketAddr, host: &str) -> Self {
        let stream = TcpStream::connect(to).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let io = TokioIo::new(stream);
        let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
        tokio::spawn(connection);
        Self {
            grpc: Grpc::with_origin(Connection(sender), format!("http://{host}").parse().unwrap()),
            headers: Vec::new(),
        }
    }

    /// With a header in each call. A `grpc-timeout` is told and not kept by the client itself.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    async fn request<T>(&mut self, messages: T) -> Request<T> {
        self.grpc.ready().await.unwrap();
        let mut request = Request::new(messages);
        for (name, value) in &self.headers {
            request.metadata_mut().insert(*name, value.parse().unwrap());
        }
        request
    }

    pub async fn unary(&mut self, path: &'static str, message: Bytes) -> Result<Response<Bytes>, Status> {
        let request = self.request(message).await;
        self.grpc.unary(request, PathAndQuery::from_static(path), Plain).await
    }

    pub async fn client_stream<S>(&mut self, path: &'static str, messages: S) -> Result<Response<Bytes>, Status>
    where
        S: Stream<Item = Bytes> + Send + 'static,
    {
        let request = self.request(messages).await;
        let path = PathAndQuery::from_static(path);
        self.grpc.client_streaming(request, path, Plain).await
    }

    pub async fn server_stream(
        &mut self,
        path: &'static str,
        message: Bytes,
    ) -> Result<Response<Streaming<Bytes>>, Status> {
        let request = self.request(message).await;
        let path = PathAndQuery::from_static(path);
        self.grpc.server_streaming(request, path, Plain).await
    }

    pub async fn streams<S>(&mut self, path: &'static str, messages: S) -> Result<Response<Streaming<Bytes>>, Status>
    where
        S: Stream<Item = Bytes> + Send + 'static,
    {
        let request = self.request(messages).await;
        let path = PathAndQuery::from_static(path);
        self.grpc.streaming(request, path, Plain).await
    }
}

struct Connection(http2::SendRequest<Body>);

impl GrpcService<Body> for Connection {
    type ResponseBody = Incoming;
    type Error = hyper::Error;
    type Future = BoxFuture<'static, hyper::Result<hyper::Response<Incoming>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<hyper::Result<()>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: hyper::Request<Body>) -> Self::Future {
        self.0.send_request(request).boxed()
    }
}

/// Messages as they are.
struct Plain;

impl Codec for Plain {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Plain;
    type Decoder = Plain;

    fn encoder(&mut self) -> Plain {
        Plain
    }

    fn decoder(&mut self) -> Plain {
        Plain
    }
}

impl Encoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(message);
        Ok(())
    }
}

impl Decoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}
