//! Copies of requests.

use std::borrow::Cow;

use crate::header::map::HeaderMap;
use crate::reserved::is_reserved;

/// The headers of a copy: the request's as they go upstream, less what belongs to one hop or to Envoy, with `-shadow` behind the host
/// where asked for.
pub fn headers(request: &HeaderMap, shadow_suffix: bool) -> HeaderMap {
    let lines = request.iter().filter(|(name, value)| goes_along(name, value));
    let lines = lines.map(|(name, value)| match name {
        b":authority" if shadow_suffix => (name, Cow::Owned(shadow_host(value))),
        _ => (name, Cow::Borrowed(value)),
    });
    lines.collect()
}

/// `x-envoy-*` would be orders to the client that sends the copy; the length is told anew, and the body is not waited for. Some gRPC
/// servers refuse who does not say that it takes trailers.
fn goes_along(name: &[u8], value: &[u8]) -> bool {
    const HOP: [&[u8]; 8] = [
        b"connection",
        b"content-length",
        b"transfer-encoding",
        b"upgrade",
        b"expect",
        b"keep-alive",
        b"proxy-connection",
        b"http2-settings",
    ];
    let is_hop = HOP.contains(&name) || name == b"te" && value != b"trailers";
    !is_hop && !name.starts_with(b"x-envoy-") && !is_reserved(name)
}

/// `shadowAppendedHost`, envoy `source/common/router/shadow_writer_impl.cc`: the suffix stands before the port.
fn shadow_host(authority: &[u8]) -> Vec<u8> {
    let host = crate::hostname::without_port(authority);
    let port = authority.get(host.len()..).unwrap_or_default();
    [host, b"-shadow", port].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_leaves_out_what_belongs_to_one_hop() {
        let request: HeaderMap = [
            (":authority", "a:80"),
            ("x-request-id", "1"),
            ("x-envoy-retry-on", "5xx"),
            ("x-switchyard-cluster", "c"),
            ("content-length", "3"),
            ("expect", "100-continue"),
            ("te", "gzip"),
            ("te", "trailers"),
        ]
        .into_iter()
        .collect();
        let expected: HeaderMap = [(":authority", "a-shadow:80"), ("x-request-id", "1"), ("te", "trailers")]
            .into_iter()
            .collect();
        assert!(headers(&request, true).iter().eq(expected.iter()));
        assert_eq!(headers(&request, false).get(":authority"), Some(&b"a:80"[..]));
    }
}
