//! A match in words, condition by condition.

use std::collections::BTreeMap;

use super::Change;
use crate::matcher::{PathMatcher, RouteMatch, StringMatcher};

/// What another match asks for instead, by the names that a `match` has for it.
pub(super) fn changes(old: &RouteMatch, new: &RouteMatch) -> Vec<Change> {
    super::changes(&conditions(old), &conditions(new))
}

fn conditions(matches: &RouteMatch) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    all.extend(matches.port.map(|port| ("port".to_owned(), port.to_string())));
    all.extend(path(&matches.path).map(|path| ("uri".to_owned(), path)));
    for header in &matches.headers {
        let name = match (header.name.strip_prefix(':'), header.without) {
            (Some(pseudo), false) => pseudo.to_owned(),
            (_, false) => format!("headers.{}", header.name),
            (_, true) => format!("withoutHeaders.{}", header.name),
        };
        all.insert(name, string(&header.value));
    }
    for parameter in &matches.query_parameters {
        all.insert(format!("queryParams.{}", parameter.name), string(&parameter.value));
    }
    all
}

fn path(matcher: &PathMatcher) -> Option<String> {
    Some(match matcher {
        PathMatcher::Any => return None,
        PathMatcher::Exact(text) => format!("exact {}", text.escape_ascii()),
        PathMatcher::ExactIgnoringCase(text) => format!("exact {} in any case", text.escape_ascii()),
        PathMatcher::Prefix(text) => format!("prefix {}", text.escape_ascii()),
        PathMatcher::PrefixIgnoringCase(text) => format!("prefix {} in any case", text.escape_ascii()),
        PathMatcher::Regex(regex) => format!("regex {}", regex.as_str()),
    })
}

/// What a value has to be.
pub(super) fn string(matcher: &StringMatcher) -> String {
    match matcher {
        StringMatcher::Present => "present".to_owned(),
        StringMatcher::Exact(text) => format!("exact {}", text.escape_ascii()),
        StringMatcher::Prefix(text) => format!("prefix {}", text.escape_ascii()),
        StringMatcher::Regex(regex) => format!("regex {}", regex.as_str()),
    }
}
