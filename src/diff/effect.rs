//! What a taker does with its requests, taken apart into facts: whatever makes a difference to a request, and nothing else.
//!
//! Draws are facts by their probabilities: weights of 1 and 1 are those of 50 and 50. A rule's name, and how its match is written, are none.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Change;
use crate::matcher::PathMatcher;
use crate::route::Taker;

mod rule;
mod share;

/// All that a taker does.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Effect {
    /// Where its requests end.
    pub end: End,
    /// How, by Istio's names of the fields: `timeout`, `fault.delay`, `weight outbound|9080|v1|reviews.default.svc.cluster.local`.
    pub facts: BTreeMap<String, String>,
    /// What of the path is replaced, where some is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaced: Option<Replaced>,
}

/// Where requests end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum End {
    /// On the proxy's own routes.
    Untouched,
    /// At the Gateway's redirect to https.
    HttpsRedirect,
    /// At 404.
    NotFound,
    /// Upstream.
    Upstream,
    /// At a rule's redirect.
    Redirect,
    /// At a rule's fixed answer.
    DirectResponse,
}

/// The part of a path that a rewrite replaces: it follows from the match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Replaced {
    /// So many bytes.
    First(usize),
    /// All of it.
    Whole,
}

impl Effect {
    /// What becomes of the requests that something takes.
    pub fn of(taker: Taker) -> Self {
        let mut effect = Effect {
            end: End::Untouched,
            facts: BTreeMap::new(),
            replaced: None,
        };
        match taker {
            Taker::HttpsRedirect => effect.end = End::HttpsRedirect,
            Taker::Default(cluster) => {
                effect.end = End::Untouched;
                effect.add_some("default", cluster);
            }
            Taker::Nothing => effect.end = End::NotFound,
            Taker::Rule(route) => effect.rule(route),
        }
        effect
    }

    /// Whether a request with a path of `length` bytes, its query aside, is treated alike.
    pub fn is_same(&self, other: &Effect, length: usize) -> bool {
        let bytes = |replaced: Replaced| match replaced {
            Replaced::First(bytes) => bytes,
            Replaced::Whole => length,
        };
        self.end == other.end && self.facts == other.facts && self.replaced.map(bytes) == other.replaced.map(bytes)
    }

    /// What is another thing afterwards, by name.
    pub fn changes(&self, new: &Effect) -> Vec<Change> {
        let mut changes = super::changes(&self.facts, &new.facts);
        if self.replaced.is_some() && new.replaced.is_some() && self.replaced != new.replaced {
            changes.push(Change {
                what: "rewrite of".to_owned(),
                old: self.replaced.map(|replaced| replaced.to_string()),
                new: new.replaced.map(|replaced| replaced.to_string()),
            });
        }
        changes
    }

    fn add_some(&mut self, what: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.add(what, value.to_string());
        }
    }

    /// Adds a fact; one that is there already gets a number. Returns its name.
    fn add(&mut self, what: &str, value: String) -> String {
        let mut name = what.to_owned();
        let mut number = 1;
        while self.facts.contains_key(&name) {
            number += 1;
            name = format!("{what} ({number})");
        }
        self.facts.insert(name.clone(), value);
        name
    }
}

impl Replaced {
    fn by(path: &PathMatcher) -> Self {
        match path {
            PathMatcher::Any => Replaced::First(1),
            PathMatcher::Prefix(prefix) | PathMatcher::PrefixIgnoringCase(prefix) => Replaced::First(prefix.len()),
            _ => Replaced::Whole,
        }
    }
}

impl std::fmt::Display for Replaced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Replaced::First(1) => f.write_str("the path's first byte"),
            Replaced::First(bytes) => write!(f, "the path's first {bytes} bytes"),
            Replaced::Whole => f.write_str("the whole path"),
        }
    }
}
