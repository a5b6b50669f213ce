//! What one request leaves for its response.

use switchyard::decision::Routed;
use switchyard::header::map::HeaderMap;
use switchyard::request::Request;

use crate::host;

/// How the response is to be changed.
pub struct ResponsePart {
    /// The decision on the request.
    pub routed: Routed,
    /// The request's headers as they came, where [`Routed::response_reads_request`].
    pub request: HeaderMap,
    /// As [`Request::came_to`].
    pub came_to: Option<u16>,
    /// Cookies that were made for a hash.
    pub set_cookies: Vec<String>,
}

impl ResponsePart {
    /// Changes the headers of the response, which have come.
    pub fn edit(&self) {
        let Some(mut headers) = host::response_headers() else {
            return;
        };
        // Envoy gives its own answers these once the route's operations are done.
        if self.routed.response_reads_response() && !host::is_via_upstream() {
            headers.remove("content-type");
            headers.remove("content-length");
        }
        let request = Request::new(&self.request).came_to(self.came_to);
        let mut edits = self.routed.response_edits(&headers, &request, &host::attribute);
        if !self.set_cookies.is_empty() && host::is_via_upstream() {
            let cookies = self.set_cookies.iter();
            cookies.for_each(|cookie| edits.add("set-cookie", cookie.as_bytes()));
        }
        host::edit_response(&edits.into_edits());
    }
}
