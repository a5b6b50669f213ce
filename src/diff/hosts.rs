//! Which hosts of two tables answer to the same names.

use std::collections::{BTreeMap, BTreeSet};

use super::cells::Case;
use super::rules::Rules;
use crate::header::map::HeaderMap;
use crate::hostname;
use crate::region::{Literal, Variable};
use crate::request::Request;
use crate::route::{RouteTable, VirtualHost};

/// Names for which requests come to one host here and one there.
#[derive(Debug, Clone, Default)]
pub(super) struct Pair<'t> {
    pub old: Option<&'t VirtualHost>,
    pub new: Option<&'t VirtualHost>,
    /// One for each of the names that are written, the shortest first; of a wildcard one that no other name takes.
    pub authorities: Vec<String>,
}

impl<'t> Pair<'t> {
    /// The host as it is written.
    pub fn name(&self) -> &'t str {
        self.new.or(self.old).map_or("", |host| &host.name)
    }
}

/// All names of two tables, those together that have the same two hosts.
pub(super) fn pairs<'t>(old: &'t RouteTable, new: &'t RouteTable) -> Vec<Pair<'t>> {
    let names: BTreeSet<String> = [old, new].iter().flat_map(|table| table.domains()).flatten().collect();
    let mut pairs: BTreeMap<_, Pair> = BTreeMap::new();
    for authority in names.iter().filter_map(|name| authority(name, &names)) {
        let pair = Pair {
            old: host(old, &authority),
            new: host(new, &authority),
            authorities: Vec::new(),
        };
        let place = |host: Option<&'t VirtualHost>| host.map(std::ptr::from_ref);
        let key = (pair.name(), place(pair.old), place(pair.new));
        pairs.entry(key).or_insert(pair).authorities.push(authority);
    }
    let mut pairs: Vec<Pair> = pairs.into_values().collect();
    for pair in &mut pairs {
        pair.authorities.sort_by_key(|name| (name.len(), name.clone()));
    }
    pairs
}

fn host<'t>(table: &'t RouteTable, authority: &str) -> Option<&'t VirtualHost> {
    let headers: HeaderMap = [(":authority", authority)].into_iter().collect();
    table.virtual_host(&Request::new(&headers))
}

/// A name that a wildcard covers and no other does better; any other name is its own.
fn authority(name: &str, names: &BTreeSet<String>) -> Option<String> {
    let Some(suffix) = name.strip_prefix('*') else {
        return Some(name.to_owned());
    };
    let is_free = |candidate: &String| {
        let mut others = names
            .iter()
            .filter(|other| other.len() > name.len() || !other.starts_with('*'));
        !others.any(|other| hostname::covers(other, candidate))
    };
    let number = |number: usize| if number == 0 { String::new() } else { number.to_string() };
    (0..64).map(|at| format!("any{}{suffix}", number(at))).find(is_free)
}

/// The authorities that rules tell apart: one for each combination of conditions on it that can be found. `port` goes behind the name.
pub(super) fn cases(pair: &Pair, old: &Rules, new: &Rules, port: u16) -> Vec<Case> {
    let with_port = |name: &String| match port {
        80 | 443 => name.clone(),
        port => format!("{name}:{port}"),
    };
    let scheme = if port == 443 { "https" } else { "http" };
    let Some(usual) = pair.authorities.first().map(with_port) else {
        return Vec::new();
    };
    let entries = old.entries.iter().chain(&new.entries);
    let mut asked: Vec<&Literal> = Vec::new();
    for literal in entries.flat_map(|entry| &entry.literals) {
        if *literal.variable() == Variable::Authority && !asked.contains(&literal) {
            asked.push(literal);
        }
    }
    if asked.is_empty() {
        return vec![Case {
            authority: usual,
            scheme,
            is_asked: false,
        }];
    }
    let mut candidates = vec![usual];
    for name in &pair.authorities {
        for whole in [with_port(name), name.clone(), format!("{name}:1")] {
            candidates.push(whole.to_ascii_uppercase());
            for sample in asked.iter().flat_map(|literal| literal.samples()) {
                candidates.extend(continued(&sample, &whole));
                candidates.push(sample);
            }
            candidates.push(whole);
        }
    }
    let mut known = BTreeSet::new();
    candidates.retain(|candidate| {
        let same = |table, host: Option<&VirtualHost>| {
            let found = self::host(table, candidate);
            found.map(std::ptr::from_ref) == host.map(std::ptr::from_ref)
        };
        let held: Vec<bool> = asked
            .iter()
            .map(|literal| literal.accepts(candidate.as_bytes()))
            .collect();
        same(old.table, pair.old) && same(new.table, pair.new) && known.insert(held)
    });
    let case = |authority| Case {
        authority,
        scheme,
        is_asked: true,
    };
    candidates.into_iter().map(case).collect()
}

/// A beginning, and behind it what is left of the whole: as it is, and in other case so that it matches nothing longer.
fn continued(beginning: &str, whole: &str) -> Vec<String> {
    let rest = whole.get(beginning.len()..).filter(|_| {
        let head = whole.get(..beginning.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(beginning))
    });
    let wildcard = whole.strip_prefix("any").map(|rest| format!("{beginning}{rest}"));
    let same = rest.into_iter().flat_map(|rest| {
        [
            format!("{beginning}{rest}"),
            format!("{beginning}{}", rest.to_ascii_uppercase()),
        ]
    });
    same.chain(wildcard).collect()
}
