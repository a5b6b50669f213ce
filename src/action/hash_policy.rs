//! `consistentHash`: what of a request decides over its endpoint.

use crate::config::destination_rule::{ConsistentHashLB, HTTPCookie};
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

/// What a load balancer hashes for one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashKey {
    /// The key of every policy that has one, with zero bytes between.
    pub key: Vec<u8>,
    /// The `set-cookie` of each cookie that was made, for a response from upstream.
    pub set_cookies: Vec<String>,
}

impl HashKey {
    /// The key that all policies make together; none leaves the choice to chance. An address is asked for only where it is a key, a fresh
    /// number only where a cookie is made, and once.
    ///
    /// `HashPolicyImpl::generateHash`, envoy `source/common/http/hash_policy.cc`, which combines hashes where we combine keys: one policy
    /// leads to the same host as there, several to one host as well, but not to the same.
    pub fn new(
        policies: &[HashPolicy],
        request: &Request,
        source_ip: impl Fn() -> Option<Vec<u8>>,
        fresh: impl FnOnce() -> u64,
    ) -> Option<Self> {
        let made = std::cell::LazyCell::new(|| format!("{:016x}", fresh()));
        let mut set_cookies = Vec::new();
        let key = |policy: &HashPolicy| {
            let own = policy.key(request, &source_ip);
            match policy {
                HashPolicy::Cookie(cookie) if own.is_none() && cookie.ttl.is_some() => {
                    set_cookies.push(cookie.set_cookie(&made));
                    Some(made.as_bytes().to_vec())
                }
                _ => own,
            }
        };
        let keys: Vec<Vec<u8>> = policies.iter().filter_map(key).collect();
        let key = (!keys.is_empty()).then(|| keys.join(&0))?;
        Some(HashKey { key, set_cookies })
    }
}

impl HashPolicy {
    /// Compiles `consistentHash`. Of several kinds of key the first in this order counts, and with none there is no policy.
    ///
    /// `consistentHashToHashPolicy`, istio `pilot/pkg/networking/core/route/route.go`.
    pub fn new(hash: &ConsistentHashLB) -> Option<Self> {
        let header = hash.http_header_name.as_deref();
        let cookie = hash.http_cookie.as_ref();
        let parameter = hash.http_query_parameter_name.as_deref();
        header
            .map(|name| HashPolicy::Header(name.to_ascii_lowercase().into()))
            .or_else(|| cookie.map(|cookie| HashPolicy::Cookie(Cookie::new(cookie))))
            .or_else(|| (hash.use_source_ip == Some(true)).then_some(HashPolicy::SourceIp))
            .or_else(|| parameter.map(|name| HashPolicy::QueryParameter(name.into())))
    }

    /// Its own key in a request.
    fn key(&self, request: &Request, source_ip: impl Fn() -> Option<Vec<u8>>) -> Option<Vec<u8>> {
        match self {
            HashPolicy::Header(name) => {
                let mut values: Vec<&[u8]> = match &**name {
                    ":authority" | "host" => vec![request.authority],
                    name => request.headers.get_all(name).collect(),
                };
                // The order of lines means nothing, as in Envoy.
                values.sort_unstable();
                (!values.is_empty()).then(|| values.join(&b","[..]))
            }
            HashPolicy::Cookie(cookie) => cookie.value(request).map(<[u8]>::to_vec),
            HashPolicy::SourceIp => source_ip(),
            HashPolicy::QueryParameter(name) => query_parameter(request.query(), name.as_bytes()).map(<[u8]>::to_vec),
        }
    }
}

impl Cookie {
    fn new(cookie: &HTTPCookie) -> Self {
        let ttl = cookie.ttl.as_deref().and_then(|text| duration::parse(text).ok());
        let attributes = cookie.attributes.iter();
        Cookie {
            name: cookie.name.as_str().into(),
            ttl: ttl.map(|ttl| ttl.as_secs()),
            path: cookie.path.as_str().into(),
            attributes: attributes
                .map(|attribute| (attribute.name.as_str().into(), attribute.value.as_str().into()))
                .collect(),
        }
    }

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
    use crate::header::map::HeaderMap;

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
    fn several_policies_make_one_key_and_a_missing_one_adds_nothing() {
        let headers: HeaderMap = [(":path", "/?q=1"), ("x", "b"), ("x", "a")].into_iter().collect();
        let policies = [
            HashPolicy::Header("x".into()),
            HashPolicy::QueryParameter("q".into()),
            HashPolicy::SourceIp,
        ];
        let key = HashKey::new(&policies, &Request::new(&headers), || None, || 0).unwrap();
        assert_eq!(key.key, b"a,b\x001");
        assert_eq!(
            HashKey::new(&[HashPolicy::SourceIp], &Request::new(&headers), || None, || 0),
            None
        );
    }

    #[test]
    fn a_client_without_the_cookie_gets_it_and_is_hashed_by_it_at_once() {
        let key = |line: &str| {
            let headers: HeaderMap = [("cookie", line)].into_iter().collect();
            HashKey::new(
                &[HashPolicy::Cookie(cookie())],
                &Request::new(&headers),
                || None,
                || 0xab,
            )
            .unwrap()
        };
        assert_eq!(key("user=").key, b"00000000000000ab");
        assert_eq!(key("user=").set_cookies.len(), 1);
        let known = HashKey {
            key: b"x".to_vec(),
            set_cookies: vec![],
        };
        assert_eq!(key("user=x"), known);
    }

    #[test]
    fn a_cookie_is_made_as_envoy_writes_it() {
        assert_eq!(
            cookie().set_cookie("k"),
            "user=\"k\"; Max-Age=10; Path=/p; SameSite=Lax; HttpOnly"
        );
    }
}
