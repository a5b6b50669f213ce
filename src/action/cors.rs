//! Cross-origin requests, answered as Envoy's CORS filter does.

use crate::matcher::StringMatcher;
use crate::request::Request;

/// `corsPolicy`, compiled.
#[derive(Debug, Clone, PartialEq)]
pub struct CorsPolicy {
    /// An origin that matches one of these is allowed.
    pub allow_origins: Box<[StringMatcher]>,
    /// Joined with commas; empty says nothing, `*` alone echoes what was asked for.
    pub allow_methods: Box<str>,
    /// Joined with commas; empty says nothing, `*` alone echoes what was asked for.
    pub allow_headers: Box<str>,
    /// Joined with commas; empty says nothing.
    pub expose_headers: Box<str>,
    /// In seconds; none says nothing.
    pub max_age: Option<Box<str>>,
    /// Whether cookies may be sent.
    pub allow_credentials: bool,
    /// Whether the preflight of an origin that is not allowed goes upstream, or is answered with nothing allowed.
    pub forward_unmatched_preflights: bool,
}

/// What a policy makes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cors {
    /// Not cross-origin, or not an allowed origin: nothing is added.
    NotConcerned,
    /// An allowed origin: the response says so.
    Allowed,
    /// An allowed origin asks beforehand: answered here.
    Preflight,
    /// An origin that is not allowed asks beforehand, and is answered here with nothing.
    UnmatchedPreflight,
}

impl CorsPolicy {
    /// What the policy makes of a request.
    pub fn judge(&self, request: &Request) -> Cors {
        let Some(origin) = request.headers.get("origin").filter(|origin| !origin.is_empty()) else {
            return Cors::NotConcerned;
        };
        let asks = request
            .headers
            .get("access-control-request-method")
            .is_some_and(|method| !method.is_empty());
        let preflight = request.method == b"OPTIONS" && asks;
        match (
            self.allow_origins.iter().any(|allowed| allowed.matches(origin)),
            preflight,
        ) {
            (true, true) => Cors::Preflight,
            (true, false) => Cors::Allowed,
            (false, true) if !self.forward_unmatched_preflights => Cors::UnmatchedPreflight,
            (false, _) => Cors::NotConcerned,
        }
    }

    /// The headers of the answer to a preflight, in Envoy's order.
    pub fn preflight_headers(&self, request: &Request) -> Vec<(&'static str, Vec<u8>)> {
        let mut headers = self.origin_headers(request);
        let mut say = |name, allowed: &str, asked: &str| match (allowed, request.headers.get(asked)) {
            ("", _) => {}
            ("*", Some(asked)) => headers.push((name, asked.to_vec())),
            _ => headers.push((name, allowed.as_bytes().to_vec())),
        };
        say(
            "access-control-allow-methods",
            &self.allow_methods,
            "access-control-request-method",
        );
        say(
            "access-control-allow-headers",
            &self.allow_headers,
            "access-control-request-headers",
        );
        if let Some(max_age) = &self.max_age {
            headers.push(("access-control-max-age", max_age.as_bytes().to_vec()));
        }
        headers.extend(self.exposed());
        headers
    }

    /// The headers that a response to an allowed origin gets.
    pub fn response_headers(&self, request: &Request) -> Vec<(&'static str, Vec<u8>)> {
        let mut headers = self.origin_headers(request);
        headers.extend(self.exposed());
        headers
    }

    fn origin_headers(&self, request: &Request) -> Vec<(&'static str, Vec<u8>)> {
        let origin = request.headers.get("origin").unwrap_or_default();
        let mut headers = vec![("access-control-allow-origin", origin.to_vec())];
        if self.allow_credentials {
            headers.push(("access-control-allow-credentials", b"true".to_vec()));
        }
        headers
    }

    fn exposed(&self) -> Option<(&'static str, Vec<u8>)> {
        let exposed = self.expose_headers.as_bytes().to_vec();
        (!exposed.is_empty()).then_some(("access-control-expose-headers", exposed))
    }
}
