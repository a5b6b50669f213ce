//! Rules that no request reaches.
//!
//! Istio's webhook warns of the same match twice and of some prefixes behind others. Here the question is decided: a match is reported if
//! and only if no request at all gets to it, whatever rules it takes to get them all. Where a regular expression makes that undecidable
//! nothing is said.

use std::collections::BTreeSet;

use super::rules::{Rules, each};
use super::{Findings, contradiction, listed};
use crate::config::Config;
use crate::finding::Severity;
use crate::region::{self, Literal, Verdict};

const UNREACHABLE_RULE: (Severity, &str) = (Severity::Warning, "IST0130");
const INEFFECTIVE_MATCH: (Severity, &str) = (Severity::Info, "IST0131");
const IMPOSSIBLE: (Severity, &str) = (Severity::Warning, "SWY0101");

/// What becomes of the requests for a match.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    /// Some get there, or that cannot be told.
    Reached,
    /// Other matches take them all.
    Taken(BTreeSet<usize>),
    /// There are none.
    Impossible,
}

pub(super) fn check(config: &Config, findings: &mut Findings) {
    each(config, |rules| {
        let fates = fates(rules);
        for (index, fate) in fates.iter().enumerate() {
            one_match(rules, index, fate, findings);
        }
        for first in rules.first_matches() {
            one_rule(rules, first, &fates, findings);
        }
        super::redirect_loop::check(rules, findings);
    });
}

/// Each match's fate: nobody's requests get there only if that holds at each gateway.
fn fates(rules: &Rules) -> Vec<Fate> {
    let mut fates: Vec<Option<Fate>> = vec![None; rules.len()];
    for gateway in rules.gateways() {
        let mut earlier: Vec<(usize, Vec<Literal>)> = Vec::new();
        for (index, fate) in fates
            .iter_mut()
            .enumerate()
            .filter(|(index, _)| rules.applies(*index, gateway))
        {
            let Some(literals) = rules.literals(index) else {
                *fate = Some(Fate::Reached);
                continue;
            };
            let excluded: Vec<Vec<Literal>> = earlier.iter().map(|(_, literals)| literals.clone()).collect();
            let here = match region::find(&literals, &excluded) {
                Verdict::Empty(none) if none.is_empty() => Fate::Impossible,
                Verdict::Empty(used) => {
                    let indices = used
                        .iter()
                        .filter_map(|position| earlier.get(*position).map(|(index, _)| *index));
                    Fate::Taken(indices.collect())
                }
                Verdict::Inhabited(_) | Verdict::Unknown => {
                    earlier.push((index, literals));
                    Fate::Reached
                }
            };
            *fate = Some(match (fate.take(), here) {
                (None, here) => here,
                (Some(Fate::Taken(mut before)), Fate::Taken(here)) => {
                    before.extend(here);
                    Fate::Taken(before)
                }
                (Some(Fate::Impossible), Fate::Impossible) => Fate::Impossible,
                (Some(Fate::Taken(takers)), Fate::Impossible) | (Some(Fate::Impossible), Fate::Taken(takers)) => {
                    Fate::Taken(takers)
                }
                (Some(Fate::Reached), _) | (_, Fate::Reached) => Fate::Reached,
            });
        }
    }
    fates.into_iter().map(|fate| fate.unwrap_or(Fate::Impossible)).collect()
}

fn one_match(rules: &Rules, index: usize, fate: &Fate, findings: &mut Findings) {
    let Some(path) = rules.match_path(index) else {
        return;
    };
    let object = rules.object(index);
    match fate {
        Fate::Reached => {}
        Fate::Taken(takers) => {
            let message = format!("is never used: {}", taken(rules, index, takers));
            let mut about = findings.add(object, INEFFECTIVE_MATCH, path, message);
            for taker in takers {
                about = about.also(rules.object(*taker), rules.path(*taker), "takes its requests first");
            }
        }
        Fate::Impossible => {
            findings.add(object, IMPOSSIBLE, path, contradiction::reason(rules, index));
        }
    }
}

/// `first` is the rule's first match.
fn one_rule(rules: &Rules, first: usize, fates: &[Fate], findings: &mut Findings) {
    let matches = || rules.matches_of(first).filter_map(|index| fates.get(index));
    if matches().any(|fate| *fate == Fate::Reached) {
        return;
    }
    let takers: BTreeSet<usize> = matches()
        .filter_map(|fate| match fate {
            Fate::Taken(takers) => Some(takers.iter().copied()),
            _ => None,
        })
        .flatten()
        .collect();
    let reason = if takers.is_empty() {
        "no request can meet its conditions".to_owned()
    } else {
        taken(rules, first, &takers)
    };
    let message = format!("is never used{}: {reason}", rules.by_whom(first));
    let mut about = findings.add(rules.object(first), UNREACHABLE_RULE, rules.rule_path(first), message);
    for taker in &takers {
        about = about.also(rules.object(*taker), rules.path(*taker), "takes its requests first");
    }
}

fn taken(rules: &Rules, index: usize, takers: &BTreeSet<usize>) -> String {
    let places: Vec<String> = takers
        .iter()
        .map(|taker| rules.place(*taker, rules.object(index)))
        .collect();
    if places.len() == 1 {
        format!("{} takes every request for it", listed(&places))
    } else {
        format!("{} take every request for it between them", listed(&places))
    }
}
