//! When a rule applies.
//!
//! A [`RouteMatch`] is one entry of `match`, compiled: all of its conditions have to hold. Each condition can say of itself why it did not
//! hold; that is what explanations are made of.

use crate::request::Request;

pub use header::HeaderMatcher;
pub use path::PathMatcher;
pub use query::{QueryParameterMatcher, parameter as query_parameter};
pub use regex::{Regex, Regexes};
pub use string::StringMatcher;

mod header;
mod path;
mod query;
pub mod regex;
mod string;

/// All of these conditions, as Envoy's `RouteMatch`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RouteMatch {
    /// The listener's port, where it is not known before the request.
    pub port: Option<u16>,
    /// The path without its query.
    pub path: PathMatcher,
    /// Headers, and what Istio writes as `method`, `authority`, `scheme`.
    pub headers: Box<[HeaderMatcher]>,
    /// Query parameters.
    pub query_parameters: Box<[QueryParameterMatcher]>,
}

/// The first condition that does not hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Unmet<'m> {
    /// The request came to another port.
    Port(u16),
    /// The path.
    Path(&'m PathMatcher),
    /// A header.
    Header(&'m HeaderMatcher),
    /// A query parameter.
    QueryParameter(&'m QueryParameterMatcher),
}

impl RouteMatch {
    /// Whether all conditions hold.
    pub fn matches(&self, request: &Request, path: &[u8]) -> bool {
        self.check(request, path).is_ok()
    }

    /// The first condition that does not hold, the cheapest first. `path` is the request's path without its query.
    pub fn check(&self, request: &Request, path: &[u8]) -> Result<(), Unmet<'_>> {
        if let Some(port) = self.port.filter(|port| *port != request.port()) {
            return Err(Unmet::Port(port));
        }
        if !self.path.matches(path) {
            return Err(Unmet::Path(&self.path));
        }
        if let Some(unmet) = self.headers.iter().find(|header| !header.matches(request)) {
            return Err(Unmet::Header(unmet));
        }
        match self
            .query_parameters
            .iter()
            .find(|parameter| !parameter.matches(request.query()))
        {
            Some(unmet) => Err(Unmet::QueryParameter(unmet)),
            None => Ok(()),
        }
    }

    /// Whether istiod takes the match for one that leaves nothing to later rules: no condition but a path of `/` or `.*`.
    ///
    /// `isCatchAllRoute`, istio `pilot/pkg/networking/core/route/route.go`.
    pub fn is_catch_all(&self) -> bool {
        self.port.is_none() && self.headers.is_empty() && self.query_parameters.is_empty() && self.path.is_catch_all()
    }
}
