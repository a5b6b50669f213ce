//! What Envoy's router and the echo upstream do with a request that the filter has let pass.

use std::borrow::Cow;

use switchyard::decision::local_reply::LocalReply;
use switchyard::header::map::HeaderMap;
use switchyard::request;
use switchyard::reserved;

use crate::case::{Request, from_latin1};
use crate::outcome::{ECHO_HEADERS, UPSTREAM_UNLISTED, Upstream, listed};

/// A response before anything of the filter's is done to it.
pub struct Response {
    pub status: u16,
    pub flags: String,
    pub details: &'static str,
    pub headers: HeaderMap,
    /// None is the upstream's.
    pub body: Option<Cow<'static, str>>,
    pub took_ms: u64,
    pub attempts: u32,
    pub upstream: Option<Upstream>,
}

/// What a request asks of the router by its headers.
struct Orders {
    timeout: Option<u64>,
    per_try: Option<u64>,
    retries: u32,
    conditions: Vec<String>,
    codes: Vec<u16>,
}

/// The router's own headers; none goes upstream.
const CONSUMED: [&str; 6] = [
    "x-envoy-upstream-rq-timeout-ms",
    "x-envoy-upstream-rq-per-try-timeout-ms",
    "x-envoy-max-retries",
    "x-envoy-retry-on",
    "x-envoy-retry-grpc-on",
    "x-envoy-retriable-status-codes",
];

/// No cluster has the name.
pub fn no_cluster() -> Response {
    local(503, "NC", "cluster_not_found", "")
}

/// The cluster has no host.
fn no_host() -> Response {
    local(503, "UH", "no_healthy_upstream", "no healthy upstream")
}

/// No rule has the request.
pub fn not_found() -> Response {
    local(404, "NR", "route_not_found", "")
}

/// The path cannot be normalised.
pub fn refused() -> Response {
    local(400, "-", "path_normalization_failed", "")
}

/// Gives a filter's own answer: Envoy types a body that is not, and turns all of it into trailers for gRPC.
pub fn local_reply(reply: &LocalReply, request: &request::Request, flags: &str) -> Response {
    let mut headers = reply.headers.clone();
    let body = from_latin1(&reply.body);
    if request.is_grpc() {
        headers.remove("content-type");
        headers.push("content-type", b"application/grpc");
        let status = reply.grpc_status.unwrap_or_else(|| grpc_status(reply.status));
        headers.push("grpc-status", status.to_string().as_bytes());
        if !body.is_empty() {
            headers.push("grpc-message", body.as_bytes());
        }
        return Response {
            headers,
            details: reply.details,
            ..local(200, flags, "", "")
        };
    }
    if !body.is_empty() && headers.get("content-type").is_none() {
        headers.push("content-type", b"text/plain");
    }
    Response {
        headers,
        body: Some(body.into()),
        details: reply.details,
        ..local(reply.status, flags, "", "")
    }
}

/// `httpToGrpcStatus`, envoy `source/common/grpc/status.cc`.
fn grpc_status(status: u16) -> u8 {
    match status {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502..=504 => 14,
        _ => 2,
    }
}

/// Sends a request to the echo upstream: it answers with the status and after the time that the client asks for.
pub fn exchange(headers: &HeaderMap, workloads: &[String], request: &Request) -> Response {
    if workloads.is_empty() {
        return no_host();
    }
    let orders = Orders::read(headers);
    let asked = |name: &str| request.header(name).map(|value| value.parse::<u64>().unwrap());
    let status = asked("x-echo-status").map_or(200, |status| u16::try_from(status).unwrap());
    let delay = asked("x-echo-delay-ms").unwrap_or_default();
    let (mut took_ms, mut attempts) = (0, 1);
    let mut response = loop {
        let per_try = orders.per_try.filter(|limit| *limit < delay);
        let end = took_ms + per_try.unwrap_or(delay);
        if let Some(timeout) = orders.timeout.filter(|timeout| *timeout < end) {
            took_ms = timeout;
            break local(504, "UT", "response_timeout", "upstream request timeout");
        }
        took_ms = end;
        let wants_retry = if per_try.is_some() {
            orders.retries_resets()
        } else {
            orders.retries_status(status)
        };
        if wants_retry && attempts <= orders.retries {
            took_ms += 25 * ((1 << attempts) - 1) / 2;
            attempts += 1;
            continue;
        }
        break match (per_try.is_some(), wants_retry) {
            (true, true) => local(504, "URX,UT", "upstream_per_try_timeout", "upstream request timeout"),
            (true, false) => local(504, "UT", "upstream_per_try_timeout", "upstream request timeout"),
            (false, exhausted) => echo(status, if exhausted { "URX" } else { "-" }),
        };
    };
    response.took_ms = took_ms;
    response.attempts = attempts;
    response.upstream = Some(upstream(headers, workloads, &orders, attempts));
    response
}

fn echo(status: u16, flags: &str) -> Response {
    Response {
        headers: ECHO_HEADERS.into_iter().collect(),
        body: None,
        ..local(status, flags, "via_upstream", "")
    }
}

fn local(status: u16, flags: &str, details: &'static str, body: &'static str) -> Response {
    let headers = (!body.is_empty()).then_some(("content-type", "text/plain"));
    Response {
        status,
        flags: flags.to_owned(),
        details,
        headers: headers.into_iter().collect(),
        body: Some(body.into()),
        took_ms: 0,
        attempts: 1,
        upstream: None,
    }
}

fn upstream(headers: &HeaderMap, workloads: &[String], orders: &Orders, attempts: u32) -> Upstream {
    let pseudo = |name: &str| from_latin1(headers.get(name).unwrap_or_default());
    let own = headers
        .iter()
        .map(|(name, value)| (std::str::from_utf8(name).unwrap(), from_latin1(value)));
    let own = own.filter(|(name, _)| {
        !name.starts_with(':') && !reserved::is_reserved(name.as_bytes()) && !CONSUMED.contains(name)
    });
    let expected = orders.timeout.into_iter().chain(orders.per_try).min();
    let expected = expected.map(|expected| ("x-envoy-expected-rq-timeout-ms", expected.to_string()));
    let count = (attempts > 1).then(|| ("x-envoy-attempt-count", attempts.to_string()));
    Upstream {
        workloads: workloads.to_vec(),
        method: pseudo(":method"),
        path: pseudo(":path"),
        authority: pseudo(":authority"),
        headers: listed(own.chain(expected).chain(count), &UPSTREAM_UNLISTED),
    }
}

impl Orders {
    fn read(headers: &HeaderMap) -> Orders {
        let text = |name: &str| headers.get(name).map(from_latin1);
        let number = |name: &str| {
            text(name)
                .map(|value| value.parse::<u64>().unwrap())
                .filter(|value| *value > 0)
        };
        let list = |name: &str| -> Vec<String> {
            text(name)
                .iter()
                .flat_map(|value| value.split(','))
                .map(str::to_owned)
                .collect()
        };
        let timeout = number("x-envoy-upstream-rq-timeout-ms");
        let per_try = number("x-envoy-upstream-rq-per-try-timeout-ms");
        Orders {
            timeout,
            per_try: per_try.filter(|per_try| timeout.is_none_or(|timeout| *per_try < timeout)),
            retries: u32::try_from(number("x-envoy-max-retries").unwrap_or_default()).unwrap(),
            conditions: list("x-envoy-retry-on"),
            codes: list("x-envoy-retriable-status-codes")
                .iter()
                .map(|code| code.parse().unwrap())
                .collect(),
        }
    }

    fn has(&self, condition: &str) -> bool {
        self.conditions.iter().any(|own| own == condition)
    }

    fn retries_status(&self, status: u16) -> bool {
        self.has("5xx") && status >= 500
            || self.has("gateway-error") && (502..=504).contains(&status)
            || self.has("retriable-4xx") && status == 409
            || self.has("retriable-status-codes") && self.codes.contains(&status)
    }

    fn retries_resets(&self) -> bool {
        self.has("5xx") || self.has("gateway-error") || self.has("reset")
    }
}
