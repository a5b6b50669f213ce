//! The search for a request, by cases.
//!
//! A request that must not be in some match fails one of the match's conditions: which one is a case. Cases are opened only for matches
//! that the request found so far is in, so an overlap of two rules costs nothing where a third one is never met.

use std::collections::{BTreeMap, BTreeSet};

use super::literal::{Literal, Test};
use super::text::{self, Found};
use super::variable::{Arity, Variable};

/// How many matches are looked at, each time anew; beyond it nothing is said.
const LOOKS: usize = 1 << 20;

/// What is known of one variable, and text that goes with it.
#[derive(Debug, Clone, Default)]
struct Known<'m> {
    yes: Vec<Test<'m>>,
    no: Vec<Test<'m>>,
    /// The text of each line; none where the request has none.
    lines: Vec<Vec<u8>>,
    /// Whether a regular expression may refuse that text.
    is_uncertain: bool,
}

/// What is known of a request.
#[derive(Debug, Clone, Default)]
pub(super) struct State<'m> {
    variables: BTreeMap<Variable<'m>, Known<'m>>,
}

/// How a search ended.
#[derive(Debug)]
pub(super) enum Outcome<'m> {
    Found(State<'m>),
    /// There is none; these of the excluded matches leave nothing.
    None(BTreeSet<usize>),
    Unknown,
}

impl<'m> State<'m> {
    /// Takes conditions in; false where they cannot hold together with what is known.
    pub(super) fn assume(&mut self, literals: impl IntoIterator<Item = Literal<'m>>) -> bool {
        let mut changed: BTreeSet<Variable<'m>> = BTreeSet::new();
        for Literal { variable, test, wanted } in literals {
            let known = self.variables.entry(variable.clone()).or_default();
            let list = if wanted { &mut known.yes } else { &mut known.no };
            if !list.contains(&test) {
                list.push(test);
                changed.insert(variable);
            }
        }
        changed.iter().all(|variable| {
            self.variables
                .get_mut(variable)
                .is_none_or(|known| known.settle(variable))
        })
    }

    /// Whether the request has some text that passes the test.
    fn holds(&self, literal: &Literal<'m>) -> bool {
        let passes = match self.variables.get(&literal.variable) {
            Some(known) => known.lines.iter().any(|line| literal.test.accepts(line)),
            None => literal.variable.untold().is_some_and(|text| literal.test.accepts(text)),
        };
        passes == literal.wanted
    }

    /// Whether it has been decided already that the condition does not hold.
    fn is_denied(&self, literal: &Literal<'m>) -> bool {
        self.variables.get(&literal.variable).is_some_and(|known| {
            let list = if literal.wanted { &known.no } else { &known.yes };
            list.contains(&literal.test)
        })
    }

    fn is_uncertain(&self) -> bool {
        self.variables.values().any(|known| known.is_uncertain)
    }

    /// The text of a variable, line by line.
    pub(super) fn lines(&self) -> impl Iterator<Item = (&Variable<'m>, &[Vec<u8>])> {
        self.variables
            .iter()
            .map(|(variable, known)| (variable, &known.lines[..]))
    }
}

impl Known<'_> {
    /// Finds text for what is known; false where there is none.
    fn settle(&mut self, variable: &Variable) -> bool {
        self.lines.clear();
        self.is_uncertain = false;
        let arity = variable.arity();
        if self.yes.is_empty() && arity != Arity::One {
            return true;
        }
        if arity != Arity::Lines {
            let found = text::find(variable, self.yes.iter(), self.no.iter());
            return self.take(found);
        }
        let found: Vec<Found> = self
            .yes
            .iter()
            .filter(|test| **test != Test::Any || self.yes.len() == 1)
            .map(|test| text::find(variable, std::iter::once(test), self.no.iter()))
            .collect();
        found.into_iter().all(|found| self.take(found))
    }

    fn take(&mut self, found: Found) -> bool {
        match found {
            Found::Text(text) => self.lines.push(text),
            Found::Perhaps(text) => {
                self.lines.push(text);
                self.is_uncertain = true;
            }
            Found::Nothing => return false,
        }
        true
    }
}

/// Looks for a request as `state` has it that is in none of `excluded`.
pub(super) fn search<'m>(state: State<'m>, excluded: &[impl AsRef<[Literal<'m>]>]) -> Outcome<'m> {
    let excluded: Vec<&[Literal<'m>]> = excluded.iter().map(AsRef::as_ref).collect();
    let mut search = Search {
        excluded: &excluded,
        looks: 0,
        used: BTreeSet::new(),
        is_unknown: false,
    };
    match search.look(state) {
        Some(state) => Outcome::Found(state),
        None if search.is_unknown => Outcome::Unknown,
        None => Outcome::None(search.used),
    }
}

struct Search<'s, 'm> {
    excluded: &'s [&'s [Literal<'m>]],
    looks: usize,
    used: BTreeSet<usize>,
    is_unknown: bool,
}

impl<'m> Search<'_, 'm> {
    fn look(&mut self, state: State<'m>) -> Option<State<'m>> {
        self.looks += self.excluded.len().max(16);
        if self.looks > LOOKS {
            self.is_unknown = true;
            return None;
        }
        let is_open = |literals: &&[Literal<'m>]| !literals.iter().any(|literal| state.is_denied(literal));
        let is_in =
            |literals: &&[Literal<'m>]| literals.iter().all(|literal| state.holds(literal)) && is_open(literals);
        let Some(met) = self.excluded.iter().position(is_in) else {
            if state.is_uncertain() {
                return self.look_without_text(state);
            }
            return Some(state);
        };
        self.split(met, state)
    }

    /// The text at hand is no help: whatever may still hold is a case.
    fn look_without_text(&mut self, state: State<'m>) -> Option<State<'m>> {
        let uncertain = |literal: &Literal<'m>| {
            state
                .variables
                .get(&literal.variable)
                .is_some_and(|known| known.is_uncertain)
        };
        let may_hold = |literals: &&[Literal<'m>]| {
            literals
                .iter()
                .all(|literal| state.holds(literal) || uncertain(literal))
                && !literals.iter().any(|literal| state.is_denied(literal))
        };
        match self.excluded.iter().position(may_hold) {
            Some(met) => self.split(met, state),
            None => {
                self.is_unknown = true;
                None
            }
        }
    }

    /// One case for each condition of an excluded match: it is the first that does not hold.
    fn split(&mut self, met: usize, state: State<'m>) -> Option<State<'m>> {
        self.used.insert(met);
        let literals = self.excluded.get(met)?;
        let mut base = state;
        for literal in *literals {
            let mut case = base.clone();
            if case.assume([literal.negated()])
                && let Some(found) = self.look(case)
            {
                return Some(found);
            }
            if self.looks > LOOKS || !base.assume([literal.clone()]) {
                break;
            }
        }
        None
    }
}
