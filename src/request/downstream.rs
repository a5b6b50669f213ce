//! A client's request as Envoy hands it to its filters.

use crate::header::edits::is_kept_in_one_line;
use crate::header::map::HeaderMap;
use crate::request::normalize;

/// What a client sends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Downstream<'a> {
    /// `http` or `https`.
    pub scheme: &'a str,
    /// As `GET`.
    pub method: &'a str,
    /// The `host` of HTTP/1, the `:authority` of HTTP/2.
    pub authority: &'a [u8],
    /// With its query.
    pub path: &'a [u8],
    /// All other headers, in order; names in any case.
    pub headers: Vec<(&'a str, &'a [u8])>,
}

/// Envoy answers such a request with 400 before any filter sees it, `path_normalization_failed` in its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathNormalizationFailed;

/// Headers of one hop, and orders to Envoy that it takes from nobody outside.
const DROPPED: [&str; 20] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-force-trace",
    "x-envoy-hedge-on-per-try-timeout",
    "x-envoy-internal",
    "x-envoy-ip-tags",
    "x-envoy-max-retries",
    "x-envoy-original-url",
    "x-envoy-retriable-header-names",
    "x-envoy-retriable-status-codes",
    "x-envoy-retry-grpc-on",
    "x-envoy-retry-on",
    "x-envoy-upstream-alt-stat-name",
    "x-envoy-upstream-rq-per-try-timeout-ms",
    "x-envoy-upstream-rq-timeout-alt-response",
    "x-envoy-upstream-rq-timeout-ms",
];

/// Stands for the identifier that Envoy makes at random.
const REQUEST_ID: &[u8] = b"00000000-0000-4000-8000-000000000000";

impl Downstream<'_> {
    /// The headers that filters see behind a connection manager that normalises paths and takes no client for an internal one:
    /// pseudo-headers first, values trimmed, several lines of a header that Envoy keeps in one joined, `x-forwarded-proto` and
    /// `x-request-id` there in any case.
    ///
    /// `mutateRequestHeaders`, envoy `source/common/http/conn_manager_utility.cc`; measured on Envoy 1.40 without `use_remote_address`.
    pub fn received(&self) -> Result<HeaderMap, PathNormalizationFailed> {
        let path = normalize::path(self.path).ok_or(PathNormalizationFailed)?;
        let mut rest = HeaderMap::default();
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim_ascii()));
        for (name, value) in headers.filter(|(name, value)| self.goes_in(name, value)) {
            match rest.get(&name).filter(|_| is_kept_in_one_line(&name)) {
                Some(first) => {
                    let joined = [first, b",", value].concat();
                    rest.remove(&name);
                    rest.push(&name, &joined);
                }
                None if name == "te" => rest.push(&name, b"trailers"),
                None => rest.push(&name, value),
            }
        }
        for (name, value) in [
            ("x-forwarded-proto", self.scheme.as_bytes()),
            ("x-request-id", REQUEST_ID),
        ] {
            if rest.get(name).is_none() {
                rest.push(name, value);
            }
        }
        let mut map = HeaderMap::default();
        map.push(":authority", self.authority);
        map.push(":path", &path);
        map.push(":method", self.method.as_bytes());
        map.push(":scheme", &self.scheme(&rest));
        let rest = rest
            .iter()
            .filter_map(|(name, value)| Some((std::str::from_utf8(name).ok()?, value)));
        rest.for_each(|(name, value)| map.push(name, value));
        Ok(map)
    }

    fn goes_in(&self, name: &str, value: &[u8]) -> bool {
        let connection = self
            .headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("connection"));
        let mut nominated = connection.flat_map(|(_, names)| names.split(|byte| *byte == b','));
        let trailers = || {
            value
                .split(|byte| *byte == b',')
                .any(|one| one.trim_ascii().eq_ignore_ascii_case(b"trailers"))
        };
        !DROPPED.contains(&name)
            && !nominated.any(|own| own.trim_ascii().eq_ignore_ascii_case(name.as_bytes()))
            && (name != "te" || trailers())
    }

    /// The proxy in front knows better how the client came.
    fn scheme(&self, headers: &HeaderMap) -> Vec<u8> {
        let forwarded = headers
            .get("x-forwarded-proto")
            .unwrap_or_default()
            .to_ascii_lowercase();
        match &*forwarded {
            b"http" | b"https" => forwarded,
            _ => self.scheme.as_bytes().to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(headers: &[(&'static str, &'static str)]) -> HeaderMap {
        let headers = headers.iter().map(|(name, value)| (*name, value.as_bytes()));
        let request = Downstream {
            scheme: "http",
            method: "GET",
            authority: b"reviews",
            path: b"/a/../b",
            headers: headers.collect(),
        };
        request.received().unwrap()
    }

    #[test]
    fn lines_that_envoy_keeps_in_one_are_joined() {
        let map = received(&[("User-Agent", "a"), ("x", " 1\t"), ("user-agent", "b"), ("X", "2")]);
        assert!(map.get_all("user-agent").eq([b"a,b"]));
        assert!(map.get_all("x").eq([b"1", b"2"]));
        assert_eq!(map.get(":path"), Some(&b"/b"[..]));
    }

    #[test]
    fn a_client_gives_envoy_no_orders() {
        let map = received(&[("x-envoy-upstream-rq-timeout-ms", "1"), ("x-envoy-other", "kept")]);
        assert_eq!(map.get("x-envoy-upstream-rq-timeout-ms"), None);
        assert_eq!(map.get("x-envoy-other"), Some(&b"kept"[..]));
    }

    #[test]
    fn headers_of_one_hop_end_there() {
        let map = received(&[
            ("Connection", "close, X-Hop"),
            ("x-hop", "1"),
            ("te", "gzip, trailers"),
            ("keep-alive", "5"),
        ]);
        assert_eq!(
            (map.get("connection"), map.get("x-hop"), map.get("keep-alive")),
            (None, None, None)
        );
        assert_eq!(map.get("te"), Some(&b"trailers"[..]));
        assert_eq!(received(&[("te", "gzip")]).get("te"), None);
    }

    #[test]
    fn the_scheme_is_the_forwarded_one_where_it_is_one() {
        let scheme = |forwarded| {
            received(&[("x-forwarded-proto", forwarded)])
                .get(":scheme")
                .map(<[u8]>::to_vec)
        };
        assert_eq!(scheme("HTTPS").as_deref(), Some(&b"https"[..]));
        assert_eq!(scheme("ftp").as_deref(), Some(&b"http"[..]));
        assert_eq!(received(&[]).get("x-forwarded-proto"), Some(&b"http"[..]));
    }
}
