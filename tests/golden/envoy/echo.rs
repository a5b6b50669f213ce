//! The upstreams: each answers as the request asks, and writes down what arrived.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::runtime::Runtime;

use super::CASE_ID;
use crate::outcome::ECHO_HEADERS;

/// What arrived.
#[derive(Debug, Clone)]
pub struct Received {
    /// Where.
    pub workload: String,
    pub method: String,
    pub path: String,
    pub headers: HeaderMap,
}

impl Received {
    /// The host it was sent to.
    pub fn authority(&self) -> &str {
        self.headers.get("host").map_or("", |host| host.to_str().unwrap())
    }

    /// Whether it is a copy: the name of its host ends so, as no other's does.
    pub fn is_mirror(&self) -> bool {
        self.authority().split(':').next().unwrap().ends_with("-shadow")
    }
}

/// Every workload of every case, each on a free port.
pub struct Echo {
    runtime: Runtime,
    addresses: BTreeMap<String, SocketAddr>,
    arrived: Arc<Mutex<Arrived>>,
}

/// What arrived so far, by the request's id.
type Arrived = HashMap<String, Vec<Received>>;

impl Echo {
    /// None yet.
    pub fn new() -> Echo {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        Echo {
            runtime: runtime.unwrap(),
            addresses: BTreeMap::new(),
            arrived: Arc::default(),
        }
    }

    /// Where a workload listens; it does from now on.
    pub fn address(&mut self, workload: &str) -> SocketAddr {
        if let Some(address) = self.addresses.get(workload) {
            return *address;
        }
        let bind = tokio::net::TcpListener::bind("127.0.0.1:0");
        let listener = self.runtime.block_on(bind).unwrap();
        let address = listener.local_addr().unwrap();
        self.addresses.insert(workload.to_owned(), address);
        let (workload, arrived): (Arc<str>, _) = (workload.into(), Arc::clone(&self.arrived));
        self.runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let (workload, arrived) = (Arc::clone(&workload), Arc::clone(&arrived));
                let service = service_fn(move |request| answer(request, Arc::clone(&workload), Arc::clone(&arrived)));
                // An Envoy that gives up a request, or ends, is no fault.
                tokio::spawn(async move {
                    let _ = http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        address
    }

    /// What arrived of a request, in order; it is forgotten here.
    pub fn take(&self, id: &str) -> Vec<Received> {
        self.arrived.lock().unwrap().remove(id).unwrap_or_default()
    }
}

async fn answer(
    request: Request<Incoming>,
    workload: Arc<str>,
    arrived: Arc<Mutex<Arrived>>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    body.collect().await?;
    let asked = |name: &str| head.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let (id, delay, status) = (asked(CASE_ID), asked("x-echo-delay-ms"), asked("x-echo-status"));
    let received = Received {
        workload: workload.to_string(),
        method: head.method.to_string(),
        path: head.uri.to_string(),
        headers: head.headers,
    };
    {
        let mut arrived = arrived.lock().unwrap();
        arrived.entry(id.unwrap_or_default()).or_default().push(received);
    }
    if let Some(delay) = delay {
        tokio::time::sleep(Duration::from_millis(delay.parse().unwrap())).await;
    }
    let mut response = Response::builder().status(status.as_deref().unwrap_or("200"));
    for (name, value) in ECHO_HEADERS {
        response = response.header(name, value);
    }
    Ok(response.body(Full::new(Bytes::from_static(b"echo"))).unwrap())
}
