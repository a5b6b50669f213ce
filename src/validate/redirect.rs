//! `redirect`.

use super::one_of::at_most_one;
use super::{At, value};
use crate::config::virtual_service::{DERIVED_PORTS, HTTPMatchRequest, HTTPRedirect};

pub(super) fn redirect(at: &At, redirect: &HTTPRedirect, matches: &[HTTPMatchRequest]) {
    let HTTPRedirect {
        uri,
        prefix_rewrite,
        authority,
        scheme,
        ..
    } = redirect;
    let has_port = redirect.port.is_some() || redirect.derive_port.is_some();
    if uri.is_empty() && prefix_rewrite.is_empty() && authority.is_empty() && scheme.is_empty() && !has_port {
        at.error("changes nothing; write uri, prefixRewrite, authority, scheme or port");
    }
    at_most_one(
        at,
        &[("uri", !uri.is_empty()), ("prefixRewrite", !prefix_rewrite.is_empty())],
    );
    at_most_one(
        at,
        &[
            ("port", redirect.port.is_some()),
            ("derivePort", redirect.derive_port.is_some()),
        ],
    );
    let has_no_prefix = |entry: &HTTPMatchRequest| entry.uri.as_ref().is_some_and(|uri| uri.prefix.is_none());
    if !prefix_rewrite.is_empty() && matches.iter().any(has_no_prefix) {
        at.field("prefixRewrite")
            .error("replaces the prefix that matched, and a match of the rule has none; write uri, or match by prefix");
    }
    if redirect.redirect_code != 0 && !(300..=399).contains(&redirect.redirect_code) {
        at.field("redirectCode").error(format!(
            "{} is no redirect; write 301, 302, 303, 307 or 308",
            redirect.redirect_code
        ));
    }
    if !["", "http", "https"].contains(&scheme.as_str()) {
        at.field("scheme")
            .error(format!("`{scheme}` is neither http nor https"));
    }
    if let Some(port) = redirect.port.filter(|port| *port != 0) {
        value::port(&at.field("port"), port);
    }
    let derive_port = redirect.derive_port.as_ref();
    value::enumeration(&at.field("derivePort"), derive_port, &DERIVED_PORTS);
}
