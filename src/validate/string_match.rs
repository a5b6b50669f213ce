//! `exact`, `prefix`, `regex`.

use super::At;
use super::one_of::at_most_one;
use crate::config::virtual_service::StringMatch;

/// Anything but a path: a prefix has to have something in it.
pub(super) fn string_match(at: &At, value: &StringMatch) {
    if value.prefix.as_deref() == Some("") {
        at.field("prefix")
            .error("is empty; leave the match empty ({}) to ask for presence");
    }
    path_match(at, value);
}

/// A path: the empty prefix takes every path.
pub(super) fn path_match(at: &At, value: &StringMatch) {
    let StringMatch { exact, prefix, regex } = value;
    at_most_one(
        at,
        &[
            ("exact", exact.is_some()),
            ("prefix", prefix.is_some()),
            ("regex", regex.is_some()),
        ],
    );
    if let Some(regex) = regex {
        at.field("regex").regex(regex);
    }
}
