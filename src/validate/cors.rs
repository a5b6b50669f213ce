//! `corsPolicy`.

use super::http_match::is_header_name;
use super::string_match::path_match;
use super::{At, value};
use crate::config::virtual_service::{CorsPolicy, StringMatch, UNMATCHED_PREFLIGHTS};

const METHODS: [&str; 10] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "*",
];

pub(super) fn cors_policy(at: &At, policy: &CorsPolicy) {
    for (at, origin) in at.each("allowOrigins", &policy.allow_origins) {
        let StringMatch { exact, prefix, regex } = origin;
        if [exact, prefix, regex].into_iter().flatten().all(String::is_empty) {
            at.error("takes no origin; write exact, prefix or regex");
        } else {
            path_match(&at, origin);
        }
    }
    for (at, method) in at.each("allowMethods", &policy.allow_methods) {
        if !METHODS.contains(&method.as_str()) {
            at.error(format!("`{method}` is no method; write one of {}", METHODS.join(", ")));
        }
    }
    for (field, names) in [
        ("allowHeaders", &policy.allow_headers),
        ("exposeHeaders", &policy.expose_headers),
    ] {
        for (at, name) in at.each(field, names) {
            if !is_header_name(name) {
                at.error(format!("`{name}` is no header's name"));
            }
        }
    }
    value::seconds(&at.field("maxAge"), policy.max_age.as_ref());
    let unmatched = policy.unmatched_preflights.as_ref();
    value::enumeration(&at.field("unmatchedPreflights"), unmatched, &UNMATCHED_PREFLIGHTS);
}
