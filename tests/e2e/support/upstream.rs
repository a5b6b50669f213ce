//! An upstream inside the test: it remembers what it got and answers as it is told.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response, StatusCode, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;

/// How it answers.
#[derive(Clone)]
pub struct Behaviour {
    pub delay: Duration,
    pub status: StatusCode,
    pub body: Bytes,
    /// Reads the request's head and closes the connection.
    pub hangs_up: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            delay: Duration::ZERO,
            status: StatusCode::OK,
            body: Bytes::from_static(b"upstream"),
            hangs_up: false,
        }
    }
}

/// What it got.
#[derive(Debug, Clone)]
pub struct Received {
    pub version: Version,
    pub method: String,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub trailers: HeaderMap,
}

impl Received {
    /// A header's bytes; empty if it is absent.
    pub fn header(&self, name: &str) -> &[u8] {
        self.headers.get(name).map_or(b"", |value| value.as_bytes())
    }
}

#[derive(Clone)]
pub struct Upstream {
    pub address: SocketAddr,
    service: Service,
}

#[derive(Clone, Default)]
struct Service {
    log: Arc<Mutex<Vec<Received>>>,
    behaviour: Arc<Mutex<Behaviour>>,
}

/// Serves on a free port, in HTTP/1.1 or HTTP/2 as each connection begins.
pub async fn serve<R, B>(answer: impl Fn(Request<Incoming>) -> R + Clone + Send + 'static) -> SocketAddr
where
    R: Future<Output = Result<Response<B>, &'static str>> + Send + 'static,
    B: Body<Data: Send, Error: std::error::Error + Send + Sync> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let service = service_fn(answer.clone());
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                // A client that leaves is the test's own doing.
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

impl Upstream {
    /// On a free port.
    pub async fn start(behaviour: Behaviour) -> Self {
        let service = Service::default();
        let answering = service.clone();
        let address = serve(move |request| answering.clone().answer(request)).await;
        let upstream = Self { address, service };
        upstream.behave(behaviour);
        upstream
    }

    pub fn behave(&self, behaviour: Behaviour) {
        *self.service.behaviour.lock().unwrap() = behaviour;
    }

    /// What it got so far.
    pub fn received(&self) -> Vec<Received> {
        self.service.log.lock().unwrap().clone()
    }

    /// Waits until it got so many, for 5 s at most, and returns them.
    pub async fn receives(&self, count: usize) -> Vec<Received> {
        let begin = Instant::now();
        while self.received().len() < count {
            assert!(
                begin.elapsed() < Duration::from_secs(5),
                "got only {:#?}",
                self.received()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.received()
    }

    pub fn forget(&self) {
        self.service.log.lock().unwrap().clear();
    }
}

impl Service {
    async fn answer(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, &'static str> {
        let behaviour = self.behaviour.lock().unwrap().clone();
        let (head, body) = request.into_parts();
        if behaviour.hangs_up {
            return Err("as told");
        }
        let body = body.collect().await.map_err(|_| "the caller left")?;
        self.log.lock().unwrap().push(Received {
            version: head.version,
            method: head.method.to_string(),
            path: head.uri.path_and_query().map_or_else(String::new, ToString::to_string),
            headers: head.headers,
            trailers: body.trailers().cloned().unwrap_or_default(),
            body: body.to_bytes(),
        });
        tokio::time::sleep(behaviour.delay).await;
        let response = Response::builder().status(behaviour.status);
        Ok(response.body(Full::new(behaviour.body)).unwrap())
    }
}
