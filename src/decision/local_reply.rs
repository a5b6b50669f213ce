//! Answers the filter gives itself, byte for byte what Envoy's own filters would.

use crate::action::ActionKind;
use crate::action::cors::Cors;
use crate::action::fault::Abort;
use crate::action::redirect::Redirect;
use crate::decision::Routed;
use crate::header::edits::HeaderEdits;
use crate::header::format::{Attribute, Format};
use crate::header::map::HeaderMap;
use crate::header::parser::{HeaderParser, Side};
use crate::request::Request;

/// A whole answer. Envoy adds `content-length`, `date`, `server`, and `content-type: text/plain` to a body without one.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalReply {
    /// The status; a gRPC request gets 200 and a gRPC status made of it.
    pub status: u16,
    /// The gRPC status, where the rule names one.
    pub grpc_status: Option<u8>,
    /// `%RESPONSE_CODE_DETAILS%`.
    pub details: &'static str,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

const ABORT_BODY: &[u8] = b"fault filter abort";

impl Routed {
    /// The answer, if it is the filter that gives it. `proxy` says what only the proxy knows.
    pub fn local_reply(&self, request: &Request, proxy: &dyn Fn(Attribute) -> Option<Vec<u8>>) -> Option<LocalReply> {
        let mut reply = self.plain_reply(request)?;
        // The rule's operations do not concern a preflight: Envoy's CORS filter answers it before the router.
        if reply.details != "cors_response" {
            const STATUS: &str = ":status";
            reply.headers.push(STATUS, reply.status.to_string().as_bytes());
            let mut edits = HeaderEdits::new(&reply.headers);
            let attribute = self.before_response(request, proxy);
            self.evaluate_response(&mut edits, Side::Response(request.headers, &attribute));
            reply.headers = edits.applied();
            reply.headers.remove(STATUS);
        }
        Some(reply)
    }

    fn plain_reply(&self, request: &Request) -> Option<LocalReply> {
        let action = &self.route.action;
        let reply = |status: u16, details, headers: Vec<(&str, Vec<u8>)>, body: &[u8]| LocalReply {
            status,
            grpc_status: None,
            details,
            headers: headers.into_iter().collect(),
            body: body.to_vec(),
        };
        match (self.abort, self.cors, &action.kind) {
            (Some(Abort::Http(status)), ..) => Some(reply(status, "fault_filter_abort", vec![], ABORT_BODY)),
            (Some(Abort::Grpc(status)), ..) => Some(LocalReply {
                grpc_status: Some(status),
                ..reply(200, "fault_filter_abort", vec![], ABORT_BODY)
            }),
            (None, Cors::Preflight, _) => {
                let headers = action
                    .cors
                    .as_ref()
                    .map(|cors| cors.preflight_headers(request))
                    .unwrap_or_default();
                Some(reply(200, "cors_response", headers, b""))
            }
            (None, Cors::UnmatchedPreflight, _) => Some(reply(200, "cors_response", vec![], b"")),
            (None, _, ActionKind::Redirect(redirect)) => {
                let location = redirect.location(request, &self.route.matches.path);
                Some(reply(
                    redirect.status,
                    "direct_response",
                    vec![("location", location)],
                    b"",
                ))
            }
            (None, _, ActionKind::DirectResponse(response)) => {
                // Envoy names the request's own URL where a status has a location.
                let located = response.status == 201 || response.status / 100 == 3;
                let location = located.then(|| {
                    (
                        "location",
                        Redirect::default().location(request, &self.route.matches.path),
                    )
                });
                Some(reply(
                    response.status,
                    "direct_response",
                    location.into_iter().collect(),
                    &response.body,
                ))
            }
            (None, _, ActionKind::Forward(_)) => None,
        }
    }

    /// What changes in a response's headers: the operations of destination and rule, then what CORS adds. `request` is the request as it
    /// came, if [`Self::response_reads_request`]. `proxy` says what only the proxy knows, and whether there is the chosen cluster.
    pub fn response_edits<'t, 'm>(
        &'t self,
        response: &'m HeaderMap,
        request: &Request,
        proxy: &dyn Fn(Attribute) -> Option<Vec<u8>>,
    ) -> HeaderEdits<'t, 'm> {
        let mut edits = HeaderEdits::new(response);
        // Formats read the request as it went up. Without its cluster it did not, and the router answered before it changed it.
        let reads = self.response_formats().any(Format::reads_request);
        let went_up = reads && proxy(Attribute::UpstreamCluster).is_some();
        let sent = went_up.then(|| self.request_edits(request, proxy).applied());
        let attribute = self.after_response(request, proxy);
        self.evaluate_response(
            &mut edits,
            Side::Response(sent.as_ref().unwrap_or(request.headers), &attribute),
        );
        if let (Cors::Allowed, Some(cors)) = (self.cors, &self.route.action.cors) {
            let headers = cors.response_headers(request);
            headers.into_iter().for_each(|(name, value)| edits.set(name, value));
        }
        edits
    }

    fn evaluate_response<'t>(&'t self, edits: &mut HeaderEdits<'t, '_>, side: Side) {
        if let Some(destination) = self.cluster() {
            destination.response_headers.evaluate(edits, side);
        }
        self.route.action.response_headers.evaluate(edits, side);
    }

    /// Whether anything is to be done to the response's headers.
    pub fn concerns_response(&self) -> bool {
        self.cors == Cors::Allowed
            || !self.route.action.response_headers.is_empty()
            || self
                .cluster()
                .is_some_and(|destination| !destination.response_headers.is_empty())
    }

    /// Whether that takes the request.
    pub fn response_reads_request(&self) -> bool {
        let reads = |format: &Format| format.reads_request() || format.reads(Attribute::UpstreamCluster);
        self.cors == Cors::Allowed || self.response_formats().any(reads)
    }

    /// Whether that takes the response's own headers.
    pub fn response_reads_response(&self) -> bool {
        self.response_formats().any(Format::reads_response)
    }

    fn response_formats(&self) -> impl Iterator<Item = &Format> {
        let destination = self.cluster().map(|destination| &destination.response_headers);
        let parsers = destination.into_iter().chain([&self.route.action.response_headers]);
        parsers.flat_map(HeaderParser::formats)
    }
}
