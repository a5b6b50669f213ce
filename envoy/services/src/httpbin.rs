//! httpbin: requests played back, and answers to order.

use std::{net::SocketAddr, time::Duration};

use axum::{
    Extension, Json, Router,
    extract::{ConnectInfo, Path, Query, Request},
    http::{HeaderMap, HeaderName, StatusCode, header::CONTENT_TYPE, request::Parts},
    response::{IntoResponse, Response},
    routing::{any, get},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    control::{MAX_BYTES, Noise, final_status},
    log,
    receive::Received,
};

/// As httpbin: longer delays are cut to this.
const MAX_DELAY: Duration = Duration::from_secs(10);

pub fn router() -> Router {
    Router::new()
        .route("/get", get(played_back))
        .route(
            "/headers",
            get(async |headers: HeaderMap| Json(json!({ "headers": titled(&headers) }))),
        )
        .route("/anything", any(anything))
        .route("/anything/{*rest}", any(anything))
        .route("/status/{code}", any(status))
        .route("/delay/{seconds}", any(delay))
        .route(
            "/ip",
            get(async |peer, headers: HeaderMap| Json(json!({ "origin": origin(peer, &headers) }))),
        )
        .route("/bytes/{length}", get(bytes))
}

type Pairs = Query<Vec<(String, String)>>;
type Peer = ConnectInfo<SocketAddr>;

/// Arguments, headers, origin and URL.
async fn played_back(Query(args): Pairs, peer: Peer, request: Request) -> Json<Map<String, Value>> {
    Json(head(args, peer, &request.into_parts().0))
}

/// What `/get` answers, with the method and the body: as text (empty if it is longer than 2 MiB or no UTF-8), as JSON or
/// a form if it is one, and its length and digest.
async fn anything(args: Pairs, peer: Peer, Extension(body): Extension<Received>, request: Request) -> Json<Value> {
    let request = request.into_parts().0;
    let mut answer = head(args.0, peer, &request);
    let text = body
        .kept
        .as_deref()
        .and_then(|bytes| std::str::from_utf8(bytes).ok())
        .unwrap_or("");
    let is_form = request
        .headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    answer.insert("method".into(), request.method.as_str().into());
    answer.insert("data".into(), if is_form { "" } else { text }.into());
    answer.insert("form".into(), if is_form { form(text) } else { json!({}) });
    answer.insert("json".into(), serde_json::from_str(text).unwrap_or(Value::Null));
    answer.insert("length".into(), body.length.into());
    answer.insert("sha256".into(), body.sha256.into());
    Json(answer.into())
}

async fn status(Path(code): Path<u64>) -> Response {
    match final_status(code) {
        Ok(status) => status.into_response(),
        Err(sentence) => bad_request(sentence),
    }
}

async fn delay(
    Path(seconds): Path<f64>,
    args: Pairs,
    peer: Peer,
    body: Extension<Received>,
    request: Request,
) -> Response {
    match Duration::try_from_secs_f64(seconds) {
        Ok(delay) => tokio::time::sleep(delay.min(MAX_DELAY)).await,
        Err(error) => return bad_request(error.to_string()),
    }
    anything(args, peer, body, request).await.into_response()
}

#[derive(Deserialize)]
struct Seed {
    #[serde(default)]
    seed: u64,
}

/// The same bytes for the same length and `seed`.
async fn bytes(Path(length): Path<u64>, Query(Seed { seed }): Query<Seed>) -> Response {
    if length > MAX_BYTES {
        return bad_request(format!("at most {MAX_BYTES} bytes"));
    }
    Noise::new(length, seed).into_response()
}

fn bad_request(sentence: String) -> Response {
    (StatusCode::BAD_REQUEST, sentence).into_response()
}

fn head(args: Vec<(String, String)>, peer: Peer, request: &Parts) -> Map<String, Value> {
    let mut answer = Map::new();
    answer.insert("args".into(), grouped(args));
    answer.insert("headers".into(), titled(&request.headers).into());
    answer.insert("origin".into(), origin(peer, &request.headers).into());
    answer.insert(
        "url".into(),
        format!("http://{}{}", log::host(request), request.uri).into(),
    );
    answer
}

fn form(body: &str) -> Value {
    grouped(form_urlencoded::parse(body.as_bytes()).into_owned().collect())
}

/// A name that comes more than once has a list.
fn grouped(pairs: Vec<(String, String)>) -> Value {
    let mut grouped: Map<String, Value> = Map::new();
    for (name, value) in pairs {
        match grouped.get_mut(&name) {
            None => drop(grouped.insert(name, value.into())),
            Some(Value::Array(values)) => values.push(value.into()),
            Some(first) => *first = json!([first.take(), value]),
        }
    }
    grouped.into()
}

/// The headers as httpbin writes their names: `X-Request-Id`.
fn titled(headers: &HeaderMap) -> Map<String, Value> {
    let title = |name: String| {
        let parts = name.split('-').map(|part| {
            let mut letters = part.chars();
            letters
                .next()
                .map(|first| first.to_uppercase().chain(letters).collect::<String>())
                .unwrap_or_default()
        });
        parts.collect::<Vec<_>>().join("-")
    };
    log::headers(headers)
        .into_iter()
        .map(|(name, value)| (title(name), value))
        .collect()
}

/// The first address that is known: what proxies say, else the peer's.
fn origin(ConnectInfo(peer): Peer, headers: &HeaderMap) -> String {
    match headers.get(HeaderName::from_static("x-forwarded-for")) {
        Some(addresses) => log::text(addresses.as_bytes()),
        None => peer.ip().to_string(),
    }
}
