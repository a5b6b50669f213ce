//! Answers that send the client elsewhere.

use crate::matcher::PathMatcher;
use crate::request::Request;

/// `redirect`, compiled, as Envoy's `RedirectAction`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Redirect {
    /// 301, 302, 303, 307 or 308.
    pub status: u16,
    /// Replaces the scheme.
    pub scheme: Option<Box<str>>,
    /// Replaces host and port.
    pub host: Option<Box<str>>,
    /// Replaces or adds the port.
    pub port: Option<u16>,
    /// What becomes of the path.
    pub path: PathRedirect,
}

/// What becomes of the path.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum PathRedirect {
    /// Nothing.
    #[default]
    Keep,
    /// Another one; the query stays, unless this one has its own.
    Whole(Box<str>),
    /// Another one in place of the matched prefix; the query stays.
    Prefix(Box<str>),
}

impl Redirect {
    /// The `location`: scheme, host, port and path, each replaced or as the request has it.
    ///
    /// `newUri`, envoy `source/common/http/utility.cc`.
    pub fn location(&self, request: &Request, matcher: &PathMatcher) -> Vec<u8> {
        let scheme = self.scheme.as_deref().map_or(request.scheme, str::as_bytes);
        let mut location = [scheme, b"://"].concat();
        let host = self.host.as_deref().map_or(request.authority, str::as_bytes);
        match self.port {
            Some(port) => {
                let bare = if self.host.is_some() { host } else { request.host() };
                location.extend_from_slice(bare);
                location.extend_from_slice(format!(":{port}").as_bytes());
            }
            None if self.host.is_none() => location.extend_from_slice(self.without_default_port(request, scheme)),
            None => location.extend_from_slice(host),
        }
        location.extend(self.path(request, matcher));
        location
    }

    /// A port that goes with the old scheme by default does not go with another.
    fn without_default_port<'r>(&self, request: &Request<'r>, scheme: &[u8]) -> &'r [u8] {
        let default = match request.scheme {
            b"http" => Some(80),
            b"https" => Some(443),
            _ => None,
        };
        let changed = scheme != request.scheme;
        let (host, port) = crate::hostname::split_port(request.authority);
        if changed && port.is_some() && port == default {
            host
        } else {
            request.authority
        }
    }

    fn path(&self, request: &Request, matcher: &PathMatcher) -> Vec<u8> {
        match &self.path {
            PathRedirect::Keep => request.path.to_vec(),
            PathRedirect::Prefix(prefix) => {
                let matched = matcher.matched_len(request.path_only());
                [prefix.as_bytes(), request.path.get(matched..).unwrap_or_default()].concat()
            }
            PathRedirect::Whole(path) => {
                let slash: &[u8] = if path.starts_with('/') { b"" } else { b"/" };
                match request.query().filter(|_| !path.contains('?')) {
                    Some(query) => [slash, path.as_bytes(), b"?", query].concat(),
                    None => [slash, path.as_bytes()].concat(),
                }
            }
        }
    }
}
