//! An upstream inside the test: it remembers what it got and answers as it is told.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

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
    pub method: String,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
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
    log: Arc<Mutex<Vec<Received>>>,
    behaviour: Arc<Mutex<Behaviour>>,
}

impl Upstream {
    /// On a free port.
    pub async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = Self {
            address: listener.local_addr().unwrap(),
            log: Arc::default(),
            behaviour: Arc::new(Mutex::new(behaviour)),
        };
        tokio::spawn(upstream.clone().accept(listener));
        upstream
    }

    async fn accept(self, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(self.clone().serve(stream));
        }
    }

    async fn serve(self, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let service = service_fn(|request| self.answer(request));
        // A client that leaves is the test's own doing.
        let _ = http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await;
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, &'static str> {
        let behaviour = self.behaviour.lock().unwrap().clone();
        let (head, body) = request.into_parts();
        if behaviour.hangs_up {
            return Err("as told");
        }
        let body = body.collect().await.map_err(|_| "the caller left")?.to_bytes();
        self.log.lock().unwrap().push(Received {
            method: head.method.to_string(),
            path: head.uri.to_string(),
            headers: head.headers,
            body,
        });
        tokio::time::sleep(behaviour.delay).await;
        let response = Response::builder().status(behaviour.status);
        Ok(response.body(Full::new(behaviour.body)).unwrap())
    }

    pub fn behave(&self, behaviour: Behaviour) {
        *self.behaviour.lock().unwrap() = behaviour;
    }

    /// What it got so far.
    pub fn received(&self) -> Vec<Received> {
        self.log.lock().unwrap().clone()
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
        self.log.lock().unwrap().clear();
    }
}
