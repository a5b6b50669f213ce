//! What a decision sees of a request.

use crate::header::map::HeaderMap;
use crate::hostname;
use crate::reserved::is_reserved;

pub mod downstream;
pub mod normalize;

/// A request's headers with what matching asks for most picked out. Nothing is copied or decoded.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// All headers, pseudo-headers among them.
    pub headers: &'a HeaderMap,
    /// `:method`, empty if there is none.
    pub method: &'a [u8],
    /// `:authority` as sent.
    pub authority: &'a [u8],
    /// `:path` with its query.
    pub path: &'a [u8],
    /// `:scheme`.
    pub scheme: &'a [u8],
    /// The port it came to, for an `:authority` that names none; none where it is not known.
    pub came_to: Option<u16>,
    host: &'a [u8],
    named_port: Option<u16>,
    has_reserved: bool,
}

impl<'a> Request<'a> {
    /// A view of `headers`.
    pub fn new(headers: &'a HeaderMap) -> Self {
        let mut request = Request {
            headers,
            method: b"",
            authority: b"",
            path: b"",
            scheme: b"",
            came_to: None,
            host: b"",
            named_port: None,
            has_reserved: false,
        };
        for (name, value) in headers.iter() {
            match name {
                b":method" => request.method = value,
                b":authority" => request.authority = value,
                b":path" => request.path = value,
                b":scheme" => request.scheme = value,
                _ => request.has_reserved |= is_reserved(name),
            }
        }
        (request.host, request.named_port) = hostname::split_port(request.authority);
        request
    }

    /// The same, with the port that it came to.
    pub fn came_to(self, port: Option<u16>) -> Self {
        Request { came_to: port, ..self }
    }

    /// The path up to its query or fragment: what `uri` is compared with.
    pub fn path_only(&self) -> &'a [u8] {
        let end = self.path.iter().position(|byte| matches!(byte, b'?' | b'#'));
        end.and_then(|end| self.path.get(..end)).unwrap_or(self.path)
    }

    /// The query without its question mark; none where there is no question mark.
    pub fn query(&self) -> Option<&'a [u8]> {
        let at = self.path.iter().position(|byte| *byte == b'?')?;
        let query = self.path.get(at + 1..)?;
        let end = query.iter().position(|byte| *byte == b'#').unwrap_or(query.len());
        query.get(..end)
    }

    /// The lines of a header or a pseudo-header, whose name has to be in lower case.
    pub fn values(&self, name: &'a str) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let pseudo = self.pseudo_header(name);
        let lines = pseudo.is_none().then(|| self.headers.get_all(name));
        pseudo.into_iter().chain(lines.into_iter().flatten())
    }

    /// A pseudo-header that matches ask for, be it sent or not; none for any other header.
    pub fn pseudo_header(&self, name: &str) -> Option<&'a [u8]> {
        match name {
            ":method" => Some(self.method),
            ":authority" => Some(self.authority),
            _ => None,
        }
    }

    /// The host, without a port.
    pub fn host(&self) -> &'a [u8] {
        self.host
    }

    /// The port that the `:authority` names, or the one it came to, or its scheme's.
    pub fn port(&self) -> u16 {
        let default = if self.scheme == b"https" { 443 } else { 80 };
        self.named_port().or(self.came_to).unwrap_or(default)
    }

    /// The port that the `:authority` names.
    pub fn named_port(&self) -> Option<u16> {
        self.named_port
    }

    /// Whether the client has sent a header whose name is reserved.
    pub fn has_reserved(&self) -> bool {
        self.has_reserved
    }

    /// Whether Envoy takes the request for gRPC: `application/grpc`, alone or with a `+` suffix.
    pub fn is_grpc(&self) -> bool {
        let kind = self
            .headers
            .get("content-type")
            .and_then(|value| value.strip_prefix(b"application/grpc"));
        kind.is_some_and(|rest| rest.is_empty() || rest.first() == Some(&b'+'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_is_not_part_of_the_path() {
        let headers: HeaderMap = [(":path", "/a?b=1#c"), (":method", "GET")].into_iter().collect();
        let request = Request::new(&headers);
        assert_eq!(request.path_only(), b"/a");
        assert_eq!(request.query(), Some(&b"b=1"[..]));
        assert_eq!(request.method, b"GET");
    }

    #[test]
    fn the_port_it_came_to_counts_where_the_authority_names_none() {
        let port = |authority: &str, came_to| {
            let headers: HeaderMap = [(":authority", authority), (":scheme", "http")].into_iter().collect();
            Request::new(&headers).came_to(came_to).port()
        };
        assert_eq!(
            (port("a:8080", Some(9080)), port("a", Some(9080)), port("a", None)),
            (8080, 9080, 80)
        );
    }

    #[test]
    fn grpc_is_told_by_its_content_type() {
        let grpc = |value: &str| Request::new(&[("content-type", value)].into_iter().collect()).is_grpc();
        assert!(grpc("application/grpc") && grpc("application/grpc+proto"));
        assert!(!grpc("application/grpc-web") && !grpc("text/plain"));
    }
}
