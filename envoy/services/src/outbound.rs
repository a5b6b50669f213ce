//! Calls from one service to another, through the caller's Envoy.

use std::{fmt, time::Duration};

use axum::{
    body::Bytes,
    http::{
        HeaderMap, HeaderName, HeaderValue, Request, StatusCode,
        header::{CONTENT_TYPE, HOST},
    },
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

use crate::receive::SERVED_BY;

const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// The headers a service passes on from the request it answers; `x-b3-*` too.
const PASSED_ON: [&str; 8] = [
    "end-user",
    "x-request-id",
    "x-dark-launch",
    "traceparent",
    "tracestate",
    "b3",
    "baggage",
    "x-ot-span-context",
];

/// One service's way to the others.
#[derive(Clone)]
pub struct Outbound {
    client: Client<HttpConnector, Empty<Bytes>>,
    via: Option<String>,
    timeout: Option<Duration>,
}

/// What another service answered; it relays status, content type, `x-served-by` and body.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum CallError {
    /// None within this time.
    TimedOut(Duration),
    /// No connection, a connection that broke, or an answer that is too long.
    Failed(String),
}

impl Outbound {
    /// `via` is the `host:port` all calls go to; `timeout` replaces each call's own.
    pub fn new(via: Option<String>, timeout: Option<Duration>) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            via,
            timeout,
        }
    }

    /// `GET path` of `authority` (`ratings:9080`), once, on behalf of the request with these headers.
    ///
    /// The time-out bounds the whole call, from connecting to the last byte.
    pub async fn get(
        &self,
        authority: &'static str,
        path: &str,
        on_behalf_of: &HeaderMap,
        timeout: Duration,
    ) -> Result<Answer, CallError> {
        let timeout = self.timeout.unwrap_or(timeout);
        let call = self.call(authority, path, on_behalf_of);
        tokio::time::timeout(timeout, call)
            .await
            .unwrap_or(Err(CallError::TimedOut(timeout)))
    }

    async fn call(&self, authority: &'static str, path: &str, on_behalf_of: &HeaderMap) -> Result<Answer, CallError> {
        let next_hop = self.via.as_deref().unwrap_or(authority);
        let mut request = Request::get(format!("http://{next_hop}{path}"))
            .body(Empty::new())
            .map_err(failed)?;
        *request.headers_mut() = passed_on(on_behalf_of);
        request.headers_mut().insert(HOST, HeaderValue::from_static(authority));
        let response = self.client.request(request).await.map_err(failed)?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, MAX_ANSWER_BYTES)
            .collect()
            .await
            .map_err(failed)?
            .to_bytes();
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        })
    }
}

fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let is_passed_on = |name: &HeaderName| PASSED_ON.contains(&name.as_str()) || name.as_str().starts_with("x-b3-");
    let kept = headers.iter().filter(|(name, _)| is_passed_on(name));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The innermost cause says most: "connection refused" and not "client error".
fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> CallError {
    let error = error.into();
    let mut cause: &dyn std::error::Error = error.as_ref();
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    CallError::Failed(cause.to_string())
}

impl Answer {
    /// The instance that answered, if it says so.
    pub fn served_by(&self) -> Option<&str> {
        self.headers.get(SERVED_BY)?.to_str().ok()
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body).into_response();
        response.headers_mut().remove(CONTENT_TYPE);
        for name in [CONTENT_TYPE, HeaderName::from_static(SERVED_BY)] {
            if let Some(value) = self.headers.get(&name) {
                response.headers_mut().insert(name, value.clone());
            }
        }
        response
    }
}

impl CallError {
    /// The status of a gateway's own error.
    pub fn status(&self) -> StatusCode {
        match self {
            CallError::TimedOut(_) => StatusCode::GATEWAY_TIMEOUT,
            CallError::Failed(_) => StatusCode::BAD_GATEWAY,
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallError::TimedOut(time) => write!(formatter, "no answer within {time:?}"),
            CallError::Failed(cause) => formatter.write_str(cause),
        }
    }
}
