//! Requests that one entry takes on the one side and another on the other: a cell. Whether there are any, and one of them.
//!
//! A request in both matches is looked for, and both tables decide over it. Where an earlier entry takes it, that one's match is left out and
//! the search goes on: of thousands of earlier entries only those count that are in the way.

use std::cell::Cell as Count;

use super::rules::{Numbers, Rules};
use crate::region::{self, Literal, Variable, Verdict, Witness};
use crate::request::Request;

/// How often an entry in the way is left out, before all of them are at once.
const ROUNDS: usize = 64;
/// How many searches are made for two hosts; beyond it nothing is said.
const SEARCHES: usize = 1 << 17;

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found {
    /// A request, and the numbers of what takes it.
    Request(Box<Witness>, usize, usize),
    /// There is none.
    None,
    /// It hangs on a regular expression, or takes too long to find out.
    Unknown,
}

/// An authority of the host; whether rules ask for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Case {
    pub authority: String,
    /// The scheme of requests whose scheme makes no difference.
    pub scheme: &'static str,
    pub is_asked: bool,
}

pub(super) struct Cells<'a, 't> {
    pub old: &'a Rules<'t>,
    pub new: &'a Rules<'t>,
    pub numbers: &'a Numbers<'t>,
    pub cases: &'a [Case],
    searches: Count<usize>,
}

impl<'a, 't> Cells<'a, 't> {
    pub fn new(old: &'a Rules<'t>, new: &'a Rules<'t>, numbers: &'a Numbers<'t>, cases: &'a [Case]) -> Self {
        Cells {
            old,
            new,
            numbers,
            cases,
            searches: Count::new(0),
        }
    }

    /// Whether there is nothing more to be found out.
    pub fn is_exhausted(&self) -> bool {
        self.searches.get() > SEARCHES
    }

    /// A request that these entries take, and treat differently where both are named.
    pub fn find(&self, old: Option<usize>, new: Option<usize>) -> Found {
        let mut found = Found::None;
        for case in self.cases {
            match self.find_in(case, old, new) {
                Found::None => {}
                Found::Unknown => found = Found::Unknown,
                request => return request,
            }
        }
        found
    }

    /// Whether two entries treat a request with a path of that length alike.
    pub fn is_same(&self, old: usize, new: usize, length: usize) -> bool {
        let effect = |rules: &Rules, number: usize| self.numbers.effect(rules.entries.get(number)?.effect);
        match (effect(self.old, old), effect(self.new, new)) {
            (Some(old), Some(new)) => old.is_same(new, length),
            _ => true,
        }
    }

    fn find_in(&self, case: &Case, old: Option<usize>, new: Option<usize>) -> Found {
        let literals = |rules: &'a Rules<'t>, number: Option<usize>| {
            let entry = number.and_then(|number| rules.entries.get(number));
            entry.map_or(&[][..], |entry| &entry.literals)
        };
        let mut within: Vec<Literal> = [literals(self.old, old), literals(self.new, new)].concat();
        if case.is_asked {
            within.push(Literal::is(Variable::Authority, case.authority.as_bytes()));
        }
        let mut excluded: Vec<Vec<Literal>> = Vec::new();
        for _ in 0..ROUNDS {
            match self.look(case, &within, &excluded) {
                Found::Request(witness, old_taker, new_taker) => {
                    let mut in_the_way = Vec::new();
                    for (rules, wanted, taker) in [(self.old, old, old_taker), (self.new, new, new_taker)] {
                        match wanted {
                            Some(wanted) if taker < wanted => in_the_way.push(literals(rules, Some(taker)).to_vec()),
                            Some(wanted) if taker > wanted => return Found::Unknown,
                            _ => {}
                        }
                    }
                    if let (Some(old), Some(new), true) = (old, new, in_the_way.is_empty()) {
                        let path = witness.path.clone().unwrap_or_else(|| b"/".to_vec());
                        if self.is_same(old, new, path.len()) {
                            in_the_way.push(vec![Literal::is(Variable::Path, path)]);
                        }
                    }
                    if in_the_way.is_empty() {
                        return Found::Request(witness, old_taker, new_taker);
                    }
                    excluded.extend(in_the_way);
                }
                other => return other,
            }
        }
        let earlier = |rules: &'a Rules<'t>, number: Option<usize>| {
            let entries = rules.entries.iter().take(number.unwrap_or(0));
            entries.map(|entry| entry.literals.clone())
        };
        excluded.extend(earlier(self.old, old));
        excluded.extend(earlier(self.new, new));
        match self.look(case, &within, &excluded) {
            Found::Request(witness, old_taker, new_taker)
                if old.is_none_or(|old| old == old_taker) && new.is_none_or(|new| new == new_taker) =>
            {
                Found::Request(witness, old_taker, new_taker)
            }
            Found::None => Found::None,
            _ => Found::Unknown,
        }
    }

    /// A request within and not excluded, and what takes it.
    fn look(&self, case: &Case, within: &[Literal], excluded: &[Vec<Literal>]) -> Found {
        self.searches.set(self.searches.get() + 1);
        let mut witness = match region::seek(within, excluded) {
            Verdict::Inhabited(witness) => witness,
            Verdict::Empty(_) => return Found::None,
            Verdict::Unknown => return Found::Unknown,
        };
        witness.authority = Some(case.authority.clone().into_bytes());
        let mut conditions = excluded.iter().flatten().chain(within);
        if !conditions.any(|literal| *literal.variable() == Variable::Scheme) {
            witness.scheme = Some(case.scheme.as_bytes().to_vec());
        }
        let headers = witness.headers("");
        let request = Request::new(&headers);
        let taker = |rules: &Rules| rules.number(rules.table.taker(&request));
        match (taker(self.old), taker(self.new)) {
            (Some(old), Some(new)) => Found::Request(Box::new(witness), old, new),
            _ => Found::Unknown,
        }
    }
}
