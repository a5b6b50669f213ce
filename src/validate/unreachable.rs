//! Rules and matches that never take a request, for an earlier one takes all of theirs.
//!
//! As much as istiod sees, `analyzeUnreachableHTTPRules`, istio `pkg/config/validation/validation.go`: the same match again, and a prefix that
//! begins with an earlier one, other conditions being alike.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::At;
use crate::config::virtual_service::{HTTPMatchRequest, HTTPRoute, StringMatch};
use crate::finding::Severity;

/// Istio's code of a rule that is never used.
const UNREACHABLE_RULE: &str = "IST0130";
/// Istio's code of a match that is never used.
const INEFFECTIVE_MATCH: &str = "IST0131";

pub(super) fn warn(at: &At, rules: &[HTTPRoute]) {
    let mut everything = None;
    let mut seen = HashMap::new();
    let mut prefixes = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        if let Some(earlier) = everything {
            let other = at.entry("http", earlier);
            let message = format!("is never used: {other} has no match and takes everything");
            at.entry("http", index)
                .warn_because(UNREACHABLE_RULE, message, &other, "takes everything");
        }
        if rule.r#match.is_empty() {
            everything = Some(index);
        } else if everything.is_none() {
            unused(at, rule, index, &mut seen, &mut prefixes);
        }
    }
    covered(at, &prefixes);
}

/// The matches that were there before, word for word but for the name; the others are remembered.
fn unused(
    at: &At,
    rule: &HTTPRoute,
    http: usize,
    seen: &mut HashMap<String, (usize, usize)>,
    prefixes: &mut Vec<Prefix>,
) {
    let mut again = 0;
    let own = at.entry("http", http);
    for (index, (place, entry)) in own.each("match", &rule.r#match).enumerate() {
        let nameless = HTTPMatchRequest {
            name: String::new(),
            ..entry.clone()
        };
        match seen.entry(format!("{nameless:?}")) {
            Entry::Vacant(vacant) => {
                vacant.insert((http, index));
                prefixes.extend(Prefix::of(nameless, http, index));
            }
            Entry::Occupied(first) => {
                let (http, index) = *first.get();
                let other = at.entry("http", http);
                let message = format!("is never used: {other} has the same match");
                place.warn_because(INEFFECTIVE_MATCH, message, &other.entry("match", index), "is the same");
                again += 1;
            }
        }
    }
    if again == rule.r#match.len() {
        let message = "is never used: all of its matches are matches of earlier rules";
        own.add(Severity::Warning, UNREACHABLE_RULE, message);
    }
}

fn covered(at: &At, prefixes: &[Prefix]) {
    let mut sorted: Vec<usize> = (0..prefixes.len()).collect();
    sorted.sort_by_key(|index| prefixes.get(*index).map(|prefix| &prefix.prefix));
    // In order, every prefix that begins another one lies on the way to it.
    let mut way: Vec<(usize, &Prefix)> = Vec::new();
    let mut pairs = Vec::new();
    for index in sorted {
        let Some(later) = prefixes.get(index) else { continue };
        while way
            .pop_if(|(_, above)| !later.prefix.starts_with(&above.prefix))
            .is_some()
        {}
        let earlier = way
            .iter()
            .filter(|(earlier, above)| *earlier < index && above.covers(later));
        pairs.extend(earlier.map(|(earlier, _)| (index, *earlier)));
        way.push((index, later));
    }
    pairs.sort_unstable();
    for (later, earlier) in pairs {
        let (Some(later), Some(earlier)) = (prefixes.get(later), prefixes.get(earlier)) else {
            continue;
        };
        let other = at.entry("http", earlier.http);
        let other = other.entry("match", earlier.index);
        let message = format!(
            "is never used: the prefix `{}` of {other} takes all that begins with `{}`",
            earlier.prefix, later.prefix
        );
        let at = at.entry("http", later.http);
        at.entry("match", later.index)
            .warn_because(INEFFECTIVE_MATCH, message, &other, "takes more");
    }
}

/// A match by prefix.
struct Prefix {
    http: usize,
    index: usize,
    prefix: String,
    entry: HTTPMatchRequest,
}

impl Prefix {
    fn of(entry: HTTPMatchRequest, http: usize, index: usize) -> Option<Self> {
        let prefix = entry.uri.as_ref()?.prefix.clone()?;
        (!prefix.is_empty()).then_some(Prefix {
            http,
            index,
            prefix,
            entry,
        })
    }

    fn covers(&self, later: &Self) -> bool {
        let (own, its) = (&self.entry, &later.entry);
        // A match without a method is one of GET here, which is istiod's guess.
        let method = |entry: &HTTPMatchRequest| match condition(entry.method.as_deref()) {
            Condition::Any => Condition::Exact("GET".to_owned()),
            method => method,
        };
        later.prefix.starts_with(&self.prefix)
            && later.prefix != self.prefix
            && its.port == own.port
            && method(own).begins_with(&method(its))
            && condition(own.authority.as_deref()).begins_with(&condition(its.authority.as_deref()))
            && all_begin_with(&own.headers, &its.headers)
            && all_begin_with(&own.query_params, &its.query_params)
            && all_begin_with(&own.without_headers, &its.without_headers)
    }
}

fn all_begin_with(own: &BTreeMap<String, StringMatch>, its: &BTreeMap<String, StringMatch>) -> bool {
    let begins = |(name, value): (&String, &StringMatch)| {
        let other = its.get(name);
        other.is_some_and(|other| condition(Some(value)).begins_with(&condition(Some(other))))
    };
    own.len() == its.len() && own.iter().all(begins)
}

/// What istiod compares: presence and expressions are nothing to it.
#[derive(PartialEq)]
enum Condition {
    Any,
    Exact(String),
    Prefix(String),
}

fn condition(value: Option<&StringMatch>) -> Condition {
    let some = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let Some(value) = value else { return Condition::Any };
    match (some(&value.exact), some(&value.prefix)) {
        (Some(exact), _) => Condition::Exact(exact),
        (_, Some(prefix)) => Condition::Prefix(prefix),
        _ => Condition::Any,
    }
}

impl Condition {
    /// Whether the text of one begins with the text of another of its kind, which is how istiod tells that it is the narrower.
    fn begins_with(&self, other: &Condition) -> bool {
        match (self, other) {
            (_, Condition::Any) => true,
            (Condition::Exact(own), Condition::Exact(its)) | (Condition::Prefix(own), Condition::Prefix(its)) => {
                own.starts_with(its)
            }
            _ => false,
        }
    }
}
