//! What comes of a request, as the goldens have it.

use serde_json::Value;

use crate::case::{Request, pairs};

/// What a request met.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The request goes on by the proxy's own routes.
    Untouched,
    /// It was answered.
    Answered(Box<Answer>),
}

/// A response, and how it came about.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// `%RESPONSE_FLAGS%`.
    pub flags: String,
    /// `%RESPONSE_CODE_DETAILS%`.
    pub details: String,
    /// The chosen cluster, if it exists.
    pub cluster: Option<String>,
    /// The rule's name, empty if it has none.
    pub route: String,
    /// The request as it arrived upstream.
    pub upstream: Option<Upstream>,
    /// Sorted.
    pub response_headers: Vec<(String, String)>,
    /// None is the upstream's.
    pub body: Option<String>,
    /// In milliseconds.
    pub took_ms: u64,
    /// How often it went upstream.
    pub attempts: u32,
    /// The copies that arrived.
    pub mirrors: Vec<Mirror>,
}

/// The request as it arrived upstream.
#[derive(Debug, Clone, PartialEq)]
pub struct Upstream {
    /// Where; any of these.
    pub workloads: Vec<String>,
    /// Its method.
    pub method: String,
    /// Its path.
    pub path: String,
    /// Its host.
    pub authority: String,
    /// Sorted, without a first attempt's count.
    pub headers: Vec<(String, String)>,
}

/// A copy that arrived.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mirror {
    /// Its host.
    pub authority: String,
    /// Its path.
    pub path: String,
    /// Its method.
    pub method: String,
    /// Where; any of these.
    pub workloads: Vec<String>,
}

/// Headers that were not written down, of requests upstream.
pub const UPSTREAM_UNLISTED: [&str; 6] = [
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "x-request-id",
    "x-forwarded-proto",
];
/// Headers that were not written down, of responses.
pub const RESPONSE_UNLISTED: [&str; 7] = [
    "date",
    "server",
    "content-length",
    "transfer-encoding",
    "connection",
    "x-envoy-upstream-service-time",
    "x-served-by",
];
/// The headers of the upstream's own answer.
pub const ECHO_HEADERS: [(&str, &str); 2] = [("x-echo", "original"), ("x-powered-by", "echo")];

impl Outcome {
    /// Reads one; what is left out holds the values that the goldens' README names.
    pub fn observed(written: &Value, request: &Request) -> Outcome {
        if written["untouched"] == true {
            return Outcome::Untouched;
        }
        let text = |name: &str, default: &str| written[name].as_str().unwrap_or(default).to_owned();
        let number = |name: &str| written[name].as_u64();
        let upstream = written
            .get("upstream")
            .map(|upstream| Upstream::observed(upstream, request));
        let echo = || {
            ECHO_HEADERS
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec()
        };
        let mirrors = written["mirrors"].as_array().into_iter().flatten();
        Outcome::Answered(Box::new(Answer {
            status: number("status").map_or(200, |status| u16::try_from(status).unwrap()),
            flags: text("flags", "-"),
            details: text("details", "via_upstream"),
            cluster: written["cluster"].as_str().map(str::to_owned),
            route: text("route", ""),
            response_headers: written.get("response_headers").map_or_else(echo, pairs),
            body: written["body"].as_str().map(str::to_owned),
            took_ms: number("took_ms").unwrap_or_default(),
            attempts: number("attempts").map_or(1, |attempts| u32::try_from(attempts).unwrap()),
            mirrors: mirrors.map(Mirror::observed).collect(),
            upstream,
        }))
    }

    /// No answer came.
    pub fn broken(error: &str) -> Outcome {
        Outcome::Answered(Box::new(Answer {
            details: error.to_owned(),
            ..Answer::default()
        }))
    }

    /// Takes away the flags of injected faults, which no filter can set.
    pub fn forget_fault_flags(&mut self) {
        if let Outcome::Answered(answer) = self {
            let kept = answer.flags.split(',').filter(|flag| !["DI", "FI"].contains(flag));
            let kept = kept.collect::<Vec<_>>().join(",");
            answer.flags = if kept.is_empty() { "-".to_owned() } else { kept };
        }
    }

    /// Envoy's router makes no copies of what it has no host for.
    pub fn forget_mirrors_without_primary(&mut self) {
        if let Outcome::Answered(answer) = self
            && answer.has_no_host()
        {
            answer.mirrors.clear();
        }
    }
}

impl Answer {
    /// Whether Envoy had nowhere to send the request.
    pub fn has_no_host(&self) -> bool {
        ["NC", "UH"].iter().any(|flag| self.flags.contains(flag))
    }
}

impl Upstream {
    fn observed(written: &Value, request: &Request) -> Upstream {
        let or = |name: &str, sent: &str| written[name].as_str().unwrap_or(sent).to_owned();
        let sent = || {
            listed(
                request
                    .headers
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.clone())),
                &UPSTREAM_UNLISTED,
            )
        };
        Upstream {
            workloads: vec![or("workload", "")],
            method: or("method", &request.method),
            path: or("path", &request.path),
            authority: or("authority", &request.host),
            headers: written.get("headers").map_or_else(sent, pairs),
        }
    }
}

impl Mirror {
    fn observed(written: &Value) -> Mirror {
        let text = |name: &str| written[name].as_str().unwrap().to_owned();
        Mirror {
            workloads: vec![text("workload")],
            authority: text("authority"),
            path: text("path"),
            method: text("method"),
        }
    }
}

/// Headers as the goldens list them: in lower case, trimmed and sorted, less those that are never listed.
pub fn listed<'a>(headers: impl Iterator<Item = (&'a str, String)>, unlisted: &[&str]) -> Vec<(String, String)> {
    let lines = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
    let mut list: Vec<_> = lines.filter(|(name, _)| !unlisted.contains(&name.as_str())).collect();
    list.sort();
    list
}
