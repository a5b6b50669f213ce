//! Services on free ports, a stand-in for Envoy between them, and a client.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::{
    collections::HashMap,
    fs,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, StatusCode, Uri, header::HOST},
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use sample_services::Log;
use serde_json::Value;

type Routes = Arc<Mutex<HashMap<String, SocketAddr>>>;

/// Running services whose calls go through one proxy that looks at the Host header only.
pub struct Bench {
    pub client: Client<HttpConnector, Body>,
    addresses: HashMap<String, SocketAddr>,
    logs: PathBuf,
    routes: Routes,
}

pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Bench {
    /// Starts the specs, less `listen` and `via`, which it adds. The test's name keeps its logs apart.
    pub async fn start(test: &str, specs: &[&str]) -> Self {
        let client = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
        let routes = Routes::default();
        let via = proxy(client.clone(), routes.clone()).await;
        let complete = |spec| format!("{spec},listen=127.0.0.1:0,via={via}");
        let instances = specs.iter().map(|spec| complete(spec).parse().unwrap()).collect();
        let logs = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
        let _ = fs::remove_dir_all(&logs);
        let log = Log::new(Some(logs.clone()), true).unwrap();
        let addresses = sample_services::start(instances, &log)
            .await
            .unwrap()
            .into_iter()
            .collect();
        Self {
            client,
            addresses,
            logs,
            routes,
        }
    }

    /// Sends the calls for a host to an instance.
    pub fn route(&self, host: &str, id: &str) {
        self.routes.lock().unwrap().insert(host.to_owned(), self.addresses[id]);
    }

    pub fn request(&self, id: &str, path: &str) -> axum::http::request::Builder {
        Request::builder().uri(format!("http://{}{path}", self.addresses[id]))
    }

    pub async fn send(&self, request: Request) -> Reply {
        let (parts, body) = self.client.request(request).await.unwrap().into_parts();
        Reply {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes(),
        }
    }

    pub async fn get(&self, id: &str, path: &str) -> Reply {
        self.get_with(id, path, &[]).await
    }

    pub async fn get_with(&self, id: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
        let request = headers.iter().fold(self.request(id, path), |request, (name, value)| {
            request.header(*name, *value)
        });
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub fn log(&self, id: &str) -> Vec<Value> {
        let lines = fs::read_to_string(self.logs.join(format!("{id}.log"))).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Waits, 2 s at most, until the log has so many lines.
    pub async fn log_of(&self, id: &str, lines: usize) -> Vec<Value> {
        for _ in 0..200 {
            if self.log(id).len() >= lines {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.log(id)
    }
}

impl Reply {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

async fn proxy(client: Client<HttpConnector, Body>, routes: Routes) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(move |request: Request| forward(client.clone(), routes.clone(), request));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn forward(client: Client<HttpConnector, Body>, routes: Routes, mut request: Request) -> Response {
    let host = request.headers()[HOST].to_str().unwrap().to_owned();
    let Some(address) = routes.lock().unwrap().get(&host).copied() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "no healthy upstream").into_response();
    };
    let path = request.uri().path_and_query().unwrap().clone();
    *request.uri_mut() = Uri::builder()
        .scheme("http")
        .authority(address.to_string())
        .path_and_query(path)
        .build()
        .unwrap();
    client.request(request).await.unwrap().into_response()
}
