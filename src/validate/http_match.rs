//! An entry of a rule's `match`.

use super::http_route::Place;
use super::string_match::{path_match, string_match};
use super::{At, name, value};
use crate::config::virtual_service::HTTPMatchRequest;

const PSEUDO_HEADERS: [&str; 5] = [":method", ":scheme", ":authority", ":path", ":status"];

pub(super) fn http_match(at: &At, entry: &HTTPMatchRequest, place: Place) {
    for (field, headers) in [("headers", &entry.headers), ("withoutHeaders", &entry.without_headers)] {
        for (name, header) in headers {
            let at = at.field(field);
            let at = at.field(name);
            header_name(&at, name, place);
            // Istio reads it as presence in `withoutHeaders` alone; elsewhere it is an expression, and none that compiles.
            if field == "headers" || header.regex.as_deref() != Some("*") {
                string_match(&at, header);
            }
        }
    }
    if let Some(uri) = &entry.uri {
        path_match(&at.field("uri"), uri);
    }
    for (field, text) in [
        ("scheme", &entry.scheme),
        ("method", &entry.method),
        ("authority", &entry.authority),
    ] {
        if let Some(text) = text {
            string_match(&at.field(field), text);
        }
    }
    for (name, parameter) in &entry.query_params {
        string_match(&at.field("queryParams").field(name), parameter);
    }
    if entry.port != 0 {
        value::port(&at.field("port"), entry.port);
    }
    name::labels(&at.field("sourceLabels"), &entry.source_labels);
    name::gateways(at, &entry.gateways);
    if !entry.source_namespace.is_empty() && !name::is_label(&entry.source_namespace) {
        at.field("sourceNamespace")
            .error(format!("`{}` is no namespace", entry.source_namespace));
    }
}

fn header_name(at: &At, name: &str, place: Place) {
    if is_claim(name) {
        if place.is_for_sidecars {
            at.error("matches a token's claim, which gateways alone can do; name gateways other than mesh");
        }
    } else if name.is_empty() {
        at.error("has no name; name a header");
    } else if !PSEUDO_HEADERS.contains(&name) && !is_header_name(name) {
        at.error(format!("`{name}` is no header's name"));
    }
}

/// `@request.auth.claims.NAME` or `@request.auth.claims[NAME]`.
fn is_claim(name: &str) -> bool {
    const CLAIMS: &str = "@request.auth.claims";
    let Some((prefix, claim)) = name.split_at_checked(CLAIMS.len()) else {
        return false;
    };
    let dotted = claim.strip_prefix('.').is_some_and(|claim| !claim.is_empty());
    let bracketed = claim.strip_prefix('[').and_then(|claim| claim.strip_suffix(']'));
    prefix.eq_ignore_ascii_case(CLAIMS) && (dotted || bracketed.is_some_and(|claim| !claim.is_empty()))
}

/// A token of RFC 9110.
pub(super) fn is_header_name(name: &str) -> bool {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(token)
}
