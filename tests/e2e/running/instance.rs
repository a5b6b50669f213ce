//! An instance of a service that says who it is, and counts.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use futures_util::stream::unfold;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Request, Response};

use super::message as grpc;
use crate::support::upstream;

/// A request asks for so many pieces; one by itself.
pub const PIECES: &str = "x-pieces";
/// Between two pieces.
pub const EVERY: Duration = Duration::from_millis(20);

#[derive(Debug, Clone)]
pub struct Instance {
    pub address: SocketAddr,
    counts: Counts,
}

#[derive(Debug, Clone, Default)]
struct Counts {
    requests: Arc<AtomicU64>,
    repeated: Arc<AtomicU64>,
}

impl Instance {
    /// On a free port.
    pub async fn start(name: &'static str) -> Self {
        let counts = Counts::default();
        let own = counts.clone();
        let address = upstream::serve(move |request| answer(name, request, own.clone())).await;
        Self { address, counts }
    }

    /// Requests that it got.
    pub fn requests(&self) -> u64 {
        self.counts.requests.load(Relaxed)
    }

    /// Those of them that were a proxy's second attempt or a later one.
    pub fn repeated(&self) -> u64 {
        self.counts.repeated.load(Relaxed)
    }
}

/// Its name, as often and as slowly as it is asked to; over gRPC in messages, with the status at the end.
async fn answer(
    name: &'static str,
    request: Request<Incoming>,
    counts: Counts,
) -> Result<Response<impl Body<Data = Bytes, Error = Infallible> + Send>, &'static str> {
    counts.requests.fetch_add(1, Relaxed);
    let (head, body) = request.into_parts();
    let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    if text("x-envoy-attempt-count").is_some_and(|count| count != "1") {
        counts.repeated.fetch_add(1, Relaxed);
    }
    let pieces: u32 = text(PIECES).map_or(1, |pieces| pieces.parse().unwrap());
    let is_grpc = text("content-type") == Some(grpc::CONTENT_TYPE);
    body.collect().await.map_err(|_| "the caller left")?;
    let mut response = Response::builder().header("x-instance", name);
    let mut piece = Bytes::from_static(name.as_bytes());
    if is_grpc {
        response = response.header(CONTENT_TYPE, grpc::CONTENT_TYPE);
        piece = grpc::message(&piece);
    }
    let body = unfold(0, move |sent| {
        let piece = piece.clone();
        async move {
            if sent > 0 && sent < pieces {
                tokio::time::sleep(EVERY).await;
            }
            let frame = match sent {
                _ if sent < pieces => Frame::data(piece),
                _ if sent == pieces && is_grpc => {
                    Frame::trailers(HeaderMap::from_iter([(grpc::STATUS, HeaderValue::from_static("0"))]))
                }
                _ => return None,
            };
            Some((Ok(frame), sent + 1))
        }
    });
    Ok(response.body(StreamBody::new(Box::pin(body))).unwrap())
}
