//! `consistentHash`: what of a request decides over its endpoint.

use crate::config::destination_rule::{ConsistentHashLB, HTTPCookieAttribute};
use crate::duration;
use crate::matcher::query_parameter;
use crate::request::Request;

/// What is hashed, as Envoy's `RouteAction.HashPolicy`.
#[derive(Debug, Clone, PartialEq)]
pub enum HashPolicy {
    /// A header's value, in lower case by name.
    Header(Box<str>),
    /// A cookie's value; one is made where it is missing and has a lifetime.
    Cookie(Cookie),
    /// The client's address.
    SourceIp,
    /// A query parameter's first value.
    QueryParameter(Box<str>),
}

/// The cookie to hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cookie {
    /// Its name.
    pub name: Box<str>,
    /// Its lifetime in seconds, 0 for a session's; none makes no cookie.
    pub ttl: Option<u64>,
    /// Its path, empty for none.
    pub path: Box<str>,
    /// More attributes, each with its value or an empty one.
    pub attributes: Vec<(Box<str>, Box<str>)>,
}

impl HashPolicy {
    /// What is written of the key; none where nothing is hashed.
    ///
    /// `consistentHashToHashPolicy`, istio `pilot/pkg/networking/core/route/route.go`.
    pub fn new(hash: &ConsistentHashLB) -> Option<Self> {
        let header = hash.http_header_name.as_deref();
        let cookie = || {
            let cookie = hash.http_cookie.as_ref()?;
            let ttl = cookie.ttl.as_deref().and_then(|ttl| duration::parse(ttl).ok());
            let attribute = |of: &HTTPCookieAttribute| (of.name.as_str().into(), of.value.as_str().into());
            Some(HashPolicy::Cookie(Cookie {
                name: cookie.name.as_str().into(),
                ttl: ttl.map(|ttl| ttl.as_secs()),
                path: cookie.path.as_str().into(),
                attributes: cookie.attributes.iter().map(attribute).collect(),
            }))
        };
        let source_ip = || hash.use_source_ip.unwrap_or_default().then_some(HashPolicy::SourceIp);
        let parameter = hash.http_query_parameter_name.as_deref();
        header
            .map(|name| HashPolicy::Header(name.to_ascii_lowercase().into()))
            .or_else(cookie)
            .or_else(source_ip)
            .or_else(|| parameter.map(|name| HashPolicy::QueryParameter(name.into())))
    }

    /// The key in a request; none leaves the choice to chance. An address is asked for only where it is the key.
    pub fn key(&self, request: &Request, source_ip: impl FnOnce() -> Option<Vec<u8>>) -> Option<Vec<u8>> {
        match self {
            HashPolicy::Header(name) => {
                let values: Vec<&[u8]> = match &**name {
                    ":authority" | "host" => vec![request.authority],
                    name => request.headers.get_all(name).collect(),
                };
                (!values.is_empty()).then(|| values.join(&b","[..]))
            }
            HashPolicy::Cookie(cookie) => cookie.value(request).map(<[u8]>::to_vec),
            HashPolicy::SourceIp => source_ip(),
            HashPolicy::QueryParameter(name) => query_parameter(request.query(), name.as_bytes()).map(<[u8]>::to_vec),
        }
    }
}

impl Cookie {
    /// The cookie's value in a request, without quotes; an empty one is none.
    pub fn value<'r>(&self, request: &Request<'r>) -> Option<&'r [u8]> {
        let lines = request.headers.get_all("cookie");
        let mut pairs = lines
            .flat_map(|line| line.split(|byte| *byte == b';'))
            .map(<[u8]>::trim_ascii);
        let value = pairs.find_map(|pair| pair.strip_prefix(self.name.as_bytes())?.strip_prefix(b"="))?;
        let bare = value
            .strip_prefix(b"\"")
            .and_then(|value| value.strip_suffix(b"\""))
            .unwrap_or(value);
        (!bare.is_empty()).then_some(bare)
    }

    /// The `set-cookie` that gives a client its key, as Envoy writes it.
    pub fn set_cookie(&self, key: &str) -> String {
        let mut text = format!("{}=\"{key}\"", self.name);
        if let Some(seconds) = self.ttl.filter(|seconds| *seconds > 0) {
            text.push_str(&format!("; Max-Age={seconds}"));
        }
        if !self.path.is_empty() {
            text.push_str(&format!("; Path={}", self.path));
        }
        for (name, value) in &self.attributes {
            text.push_str(&format!("; {name}"));
            if !value.is_empty() {
                text.push_str(&format!("={value}"));
            }
        }
        text.push_str("; HttpOnly");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header_map::HeaderMap;

    fn cookie() -> Cookie {
        Cookie {
            name: "user".into(),
            ttl: Some(10),
            path: "/p".into(),
            attributes: vec![("SameSite".into(), "Lax".into())],
        }
    }

    #[test]
    fn a_cookie_is_found_among_others_and_an_empty_one_is_none() {
        let value = |line: &str| {
            let headers: HeaderMap = [("cookie", line)].into_iter().collect();
            cookie().value(&Request::new(&headers)).map(<[u8]>::to_vec)
        };
        assert_eq!(value("a=b; user=\"x\""), Some(b"x".to_vec()));
        assert_eq!(value("users=b; user="), None);
    }

    #[test]
    fn a_cookie_is_made_as_envoy_writes_it() {
        assert_eq!(
            cookie().set_cookie("k"),
            "user=\"k\"; Max-Age=10; Path=/p; SameSite=Lax; HttpOnly"
        );
    }
}
