//! Sets of requests, as matches describe them: whether one is empty, and a request out of it.
//!
//! "Does any request reach this rule?" and "for which requests do these two configurations differ?" are the same question: is there a
//! request in this match and in none of those? Paths, headers, methods and query parameters are compared as sets of text, so a prefix
//! that two others make up is seen as well. Regular expressions are opaque: where the answer hangs on one there is none.

use std::collections::BTreeSet;

pub use literal::{Literal, literals};
use search::{Outcome, State, search};
pub use variable::Variable;
pub use witness::Witness;

mod literal;
mod search;
mod text;
mod variable;
mod witness;

/// What is in all of some conditions and in none of some matches.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Requests like this one.
    Inhabited(Witness),
    /// No request. These of the excluded matches take them all; without them there would be some, but for an empty list: then the
    /// conditions contradict each other.
    Empty(Vec<usize>),
    /// It hangs on a regular expression, or takes too long to find out.
    Unknown,
}

/// Whether there is a request for which all of `within` holds and no list of `excluded` holds whole.
pub fn find<'m>(within: &[Literal<'m>], excluded: &[Vec<Literal<'m>>]) -> Verdict {
    let mut state = State::default();
    if !state.assume(within.iter().cloned()) {
        return Verdict::Empty(Vec::new());
    }
    match search(state.clone(), excluded) {
        Outcome::Found(found) => Verdict::Inhabited(Witness::new(found.lines())),
        Outcome::None(used) => Verdict::Empty(fewest(&state, excluded, used)),
        Outcome::Unknown => Verdict::Unknown,
    }
}

/// As [`find`], but an answer of none names every match that was met: for those who ask often and need no reason.
pub fn seek<'m>(within: &[Literal<'m>], excluded: &[impl AsRef<[Literal<'m>]>]) -> Verdict {
    let mut state = State::default();
    if !state.assume(within.iter().cloned()) {
        return Verdict::Empty(Vec::new());
    }
    match search(state, excluded) {
        Outcome::Found(found) => Verdict::Inhabited(Witness::new(found.lines())),
        Outcome::None(used) => Verdict::Empty(used.into_iter().collect()),
        Outcome::Unknown => Verdict::Unknown,
    }
}

/// Leaves out what the answer does not need, the last first; one that takes everything alone is enough.
fn fewest<'m>(state: &State<'m>, excluded: &[Vec<Literal<'m>>], used: BTreeSet<usize>) -> Vec<usize> {
    let leaves_nothing = |kept: &[usize]| {
        let lists: Vec<Vec<Literal<'m>>> = kept.iter().filter_map(|index| excluded.get(*index).cloned()).collect();
        matches!(search(state.clone(), &lists), Outcome::None(_))
    };
    if let Some(alone) = used.iter().find(|index| leaves_nothing(&[**index])) {
        return vec![*alone];
    }
    let mut kept: Vec<usize> = used.into_iter().collect();
    for index in (0..kept.len()).rev() {
        let mut fewer = kept.clone();
        fewer.remove(index);
        if leaves_nothing(&fewer) {
            kept = fewer;
        }
    }
    kept
}

#[cfg(test)]
mod tests;
