//! `headers`: names and values of what is added, overwritten and removed.

use super::At;
use crate::config::virtual_service::{HeaderOperations, Headers};
use crate::finding::Severity;
use crate::header::format::{Format, InvalidFormat};
use crate::reserved;

/// The code of a header between the filter and Envoy's routes that a rule would change.
const RESERVED: &str = "SWY0002";
/// The code of a value that Envoy could fill in and a filter cannot.
const NOT_FILLED: &str = "SWY0003";

/// Operations of a rule or a destination.
pub(super) fn operations(at: &At, headers: Option<&Headers>) {
    let Some(headers) = headers else { return };
    if let Some(request) = &headers.request {
        side(&at.field("request"), request, true);
    }
    if let Some(response) = &headers.response {
        side(&at.field("response"), response, false);
    }
}

fn side(at: &At, operations: &HeaderOperations, is_request: bool) {
    for (field, map) in [("set", &operations.set), ("add", &operations.add)] {
        for (name, text) in map {
            let at = at.field(field);
            let at = at.field(name);
            header_name(&at, name, is_request);
            header_value(&at, text);
        }
    }
    for (at, name) in at.each("remove", &operations.remove) {
        header_name(&at, name, false);
    }
}

/// Only where a request's headers are set may the authority be among them.
fn header_name(at: &At, name: &str, may_be_authority: bool) {
    if name.is_empty() {
        at.error("has no name; name a header");
    } else if may_be_authority && is_authority(name) {
    } else if name.eq_ignore_ascii_case("host") {
        at.error(
            "the host can be neither removed nor part of a response; set it in a request, or by rewrite.authority",
        );
    } else if name.starts_with(':') {
        at.error(format!(
            "`{name}` is a pseudo-header; only a request's :authority can be set"
        ));
    } else if reserved::is_reserved(name.to_ascii_lowercase().as_bytes()) {
        let message = format!(
            "`{name}` is reserved, as all of {}*; take another name",
            reserved::PREFIX
        );
        at.add(Severity::Error, RESERVED, message);
    }
}

pub(super) fn is_authority(name: &str) -> bool {
    name.eq_ignore_ascii_case("host") || name.eq_ignore_ascii_case(":authority")
}

fn header_value(at: &At, text: &str) {
    if text.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t') {
        at.error("has a control character in it; remove it");
    }
    match Format::parse(text) {
        Ok(_) => {}
        Err(InvalidFormat::Syntax(message)) => at.error(message),
        Err(InvalidFormat::Command(message)) => at.add(Severity::Error, NOT_FILLED, message),
    }
}
