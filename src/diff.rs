//! What a change of configuration does to requests.
//!
//! ```text
//! RouteTable, RouteTable ── compare ──▶ Difference { rules, classes }   for each host whose requests are treated differently
//! ```
//!
//! A class of requests is a cell: what one entry takes before and another after. Rules that stay where they were cannot make one between
//! them ([`alignment`]), so only those are asked that are new, gone, moved or changed. Each class is proved by a request that both tables
//! decided over; where regular expressions hide whether there is one, it says so.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::explain::RuleReference;
use crate::header::map::HeaderMap;
use crate::matcher::RouteMatch;
use crate::region::Witness;
use crate::request::Request;
use crate::route::{RouteTable, Taker, VirtualHost};
use alignment::Alignment;
use cells::Cells;
pub use effect::{Effect, End, Replaced};
use rules::{Numbers, Rules};

mod alignment;
pub mod callers;
mod cells;
mod classes;
mod conditions;
pub mod documents;
mod effect;
mod hosts;
pub mod messages;
mod rules;
mod written;

/// What differs for one host, or for some of the names it answers to.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The host, as the VirtualService or the service has it.
    pub host: String,
    /// What was done to its rules.
    pub rules: Vec<RuleChange>,
    /// The requests that are treated differently.
    pub classes: Vec<Class>,
}

/// A rule that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleChange {
    /// What was done to it.
    pub kind: RuleChangeKind,
    /// Where it was.
    pub old: Option<RuleReference>,
    /// Where it is.
    pub new: Option<RuleReference>,
    /// What its match asks for instead, where that is all that was changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Change>,
    /// Whether no request reaches it as it is now, or reached it before it was gone.
    pub is_hidden: bool,
}

/// What was done to a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum RuleChangeKind {
    /// It was not there.
    Added,
    /// It is not there any more.
    Gone,
    /// The same match and the same action stand elsewhere among the rules.
    Moved,
    /// The same match has another action.
    Changed,
    /// The same action has another match.
    Rematched,
    /// Nothing was done to it, but no request reaches it any more.
    Hidden,
    /// Nothing was done to it, but requests reach it now.
    Revealed,
}

/// Something that has another value afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Change {
    /// Its name.
    pub what: String,
    /// As it was; none where it was not written.
    pub old: Option<String>,
    /// As it is.
    pub new: Option<String>,
}

/// What has another value, by name.
fn changes(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Vec<Change> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let change = |what: &String| Change {
        what: what.clone(),
        old: old.get(what).cloned(),
        new: new.get(what).cloned(),
    };
    let all = names.into_iter().map(change);
    all.filter(|change| change.old != change.new).collect()
}

/// Requests that are treated differently.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Class {
    /// What took them; none is anything that is not named with `new` in another class.
    pub old: Option<Side>,
    /// What takes them; none is anything that is not named with `old` in another class.
    pub new: Option<Side>,
    /// One of them; none where it hangs on a regular expression whether there are any.
    pub example: Option<Example>,
}

/// What takes requests on one side.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Side {
    /// Its number among the host's entries: its rules in order and what is left.
    #[serde(skip)]
    pub number: usize,
    /// The rule, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleReference>,
    /// What becomes of the requests.
    pub effect: Effect,
}

/// A request, as the proxy has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example(Witness);

impl Example {
    /// What a filter sees of it.
    pub fn headers(&self) -> HeaderMap {
        self.0.headers("")
    }

    /// Its method.
    pub fn method(&self) -> String {
        text(self.0.method.as_deref().unwrap_or(b"GET"))
    }

    /// Its URL.
    pub fn url(&self) -> String {
        let scheme = text(self.0.scheme.as_deref().unwrap_or(b"http"));
        let authority = text(self.0.authority.as_deref().unwrap_or_default());
        format!("{scheme}://{authority}{}", text(&self.0.path_and_query()))
    }

    /// Whether it has several lines of one header.
    pub fn repeats_a_header(&self) -> bool {
        let names = || self.0.headers.iter().map(|(name, _)| name);
        names()
            .enumerate()
            .any(|(index, name)| names().skip(index + 1).any(|other| other == name))
    }

    /// Its headers, line by line.
    pub fn lines(&self) -> impl Iterator<Item = (&str, String)> {
        self.0.headers.iter().map(|(name, value)| (name.as_str(), text(value)))
    }
}

/// As `explain` is asked about it.
impl Serialize for Example {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Example", 3)?;
        fields.serialize_field("method", &self.method())?;
        fields.serialize_field("url", &self.url())?;
        fields.serialize_field("headers", &self.lines().collect::<Vec<_>>())?;
        fields.end()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Two tables of the listener for `port`, with what is told of how far it has come: rules looked at, of how many.
#[derive(Debug)]
pub struct Comparison<'t> {
    old: &'t RouteTable,
    new: &'t RouteTable,
    port: u16,
    numbers: Numbers<'t>,
    changed: HashMap<(*const VirtualHost, *const VirtualHost), Option<Vec<&'t RouteMatch>>>,
}

impl<'t> Comparison<'t> {
    /// Of two tables for the same proxy and port.
    pub fn new(old: &'t RouteTable, new: &'t RouteTable, port: u16) -> Self {
        Comparison {
            old,
            new,
            port,
            numbers: Numbers::default(),
            changed: HashMap::new(),
        }
    }

    /// What differs, host by host. `tick` hears how many rules were looked at, of how many there are to look at.
    pub fn differences(&mut self, tick: &mut dyn FnMut(usize, usize)) -> Vec<Difference> {
        let mut unlike = Vec::new();
        for pair in hosts::pairs(self.old, self.new) {
            let old = Rules::new(self.old, pair.old, &mut self.numbers);
            let new = Rules::new(self.new, pair.new, &mut self.numbers);
            let (old_keys, new_keys) = (old.keys(), new.keys());
            if old_keys != new_keys {
                unlike.push((pair, old, new, Alignment::new(&old_keys, &new_keys)));
            }
        }
        let work = |alignment: &Alignment| alignment.old.len() + alignment.new.len();
        let total = unlike.iter().map(|(.., alignment)| work(alignment)).sum();
        let mut done = 0;
        let mut differences = Vec::new();
        for (pair, old, new, alignment) in &unlike {
            let cases = hosts::cases(pair, old, new, self.port);
            let cells = Cells::new(old, new, &self.numbers, &cases);
            let classes = classes::find(&cells, alignment, &mut |here| tick(done + here, total));
            let difference = Difference {
                host: pair.name().to_owned(),
                rules: written::changes(&cells, alignment),
                classes,
            };
            if !difference.rules.is_empty() || !difference.classes.is_empty() {
                differences.push(difference);
            }
            done += work(alignment);
            tick(done, total);
        }
        differences
    }

    /// What takes a request on either side, where it is treated differently.
    pub fn of_request(&mut self, request: &Request) -> Option<(Side, Side)> {
        if !self.may_differ(request) {
            return None;
        }
        let (old, new) = (self.old.taker(request), self.new.taker(request));
        let (before, after) = (self.numbers.of_taker(old), self.numbers.of_taker(new));
        if before == after {
            return None;
        }
        let (before, after) = (self.numbers.effect(before)?, self.numbers.effect(after)?);
        if before.is_same(after, request.path_only().len()) {
            return None;
        }
        let side = |taker: Taker, effect: &Effect| Side {
            number: 0,
            rule: reference(taker),
            effect: effect.clone(),
        };
        Some((side(old, before), side(new, after)))
    }
}

impl<'t> Comparison<'t> {
    /// A request that is in the match of no rule without a like on the other side is treated alike: where these are few, only they are asked.
    fn may_differ(&mut self, request: &Request) -> bool {
        let hosts = (self.old.virtual_host(request), self.new.virtual_host(request));
        let (Some(old), Some(new)) = hosts else { return true };
        let (tables, numbers) = ((self.old, self.new), &mut self.numbers);
        let changed = self
            .changed
            .entry((std::ptr::from_ref(old), std::ptr::from_ref(new)))
            .or_insert_with(|| {
                let old = Rules::new(tables.0, Some(old), numbers);
                let new = Rules::new(tables.1, Some(new), numbers);
                changed_matches(&old, &new)
            });
        let path = request.path_only();
        changed
            .as_ref()
            .is_none_or(|changed| changed.iter().any(|matches| matches.matches(request, path)))
    }
}

/// The matches of all rules without a like; none where they are many, or where it is not rules alone that differ.
fn changed_matches<'t>(old: &Rules<'t>, new: &Rules<'t>) -> Option<Vec<&'t RouteMatch>> {
    const FEW: usize = 64;
    let alignment = Alignment::new(&old.keys(), &new.keys());
    let mut changed = Vec::new();
    for (rules, aligned) in [(old, &alignment.old), (new, &alignment.new)] {
        for (entry, _) in rules.entries.iter().zip(aligned).filter(|(_, like)| like.is_none()) {
            let Taker::Rule(route) = entry.taker else { return None };
            changed.push(&route.matches);
        }
    }
    (changed.len() <= FEW).then_some(changed)
}

fn reference(taker: Taker) -> Option<RuleReference> {
    match taker {
        Taker::Rule(route) => Some(RuleReference::new(&route.rule)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
