//! The classes of requests that are treated differently.

use std::collections::{BTreeSet, HashMap};

use super::alignment::Alignment;
use super::cells::{Cells, Found};
use super::rules::Rules;
use super::{Class, Example, Side, reference};
use crate::region::{Literal, Variable};

/// How many classes are named for one rule; all others of its requests are one class more.
const NAMED: usize = 8;

/// Every class, in the order of what took it. `tick` hears how many entries were looked at.
pub(super) fn find(cells: &Cells, alignment: &Alignment, tick: &mut dyn FnMut(usize)) -> Vec<Class> {
    let mut classes = Vec::new();
    let mut looked = 0;
    for direction in [Direction::FromOld, Direction::FromNew] {
        let (rules, others) = direction.sides(cells);
        let (aligned, others_aligned) = direction.alignments(alignment);
        let mut open = Open::new(others);
        for (number, entry) in rules.entries.iter().enumerate() {
            looked += 1;
            if aligned.get(number).is_some_and(Option::is_none) {
                tick(looked);
                let mut search = Search {
                    cells,
                    direction,
                    number,
                    found: Vec::new(),
                };
                search.run(&open, others_aligned);
                classes.append(&mut search.found);
            }
            open.close(entry.matches);
        }
    }
    let number = |side: &Option<Side>| side.as_ref().map_or(usize::MAX, |side| side.number);
    classes.sort_by_key(|class| (number(&class.old), number(&class.new)));
    classes
}

/// Whether the other takers of an old entry's requests are looked for, or of a new one's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    FromOld,
    FromNew,
}

impl Direction {
    fn sides<'c, 't>(self, cells: &Cells<'c, 't>) -> (&'c Rules<'t>, &'c Rules<'t>) {
        match self {
            Direction::FromOld => (cells.old, cells.new),
            Direction::FromNew => (cells.new, cells.old),
        }
    }

    fn alignments(self, alignment: &Alignment) -> (&[Option<usize>], &[Option<usize>]) {
        match self {
            Direction::FromOld => (&alignment.old, &alignment.new),
            Direction::FromNew => (&alignment.new, &alignment.old),
        }
    }

    /// As old and new.
    fn ordered<T>(self, own: T, other: T) -> (T, T) {
        match self {
            Direction::FromOld => (own, other),
            Direction::FromNew => (other, own),
        }
    }
}

/// The entries of the other side that may take requests of one that is looked at: none that has the match of an earlier one.
struct Open {
    numbers: BTreeSet<usize>,
    by_match: HashMap<usize, Vec<usize>>,
}

impl Open {
    fn new(others: &Rules) -> Self {
        let mut by_match: HashMap<usize, Vec<usize>> = HashMap::new();
        for (number, entry) in others.entries.iter().enumerate() {
            by_match.entry(entry.matches).or_default().push(number);
        }
        Open {
            numbers: (0..others.entries.len()).collect(),
            by_match,
        }
    }

    /// Up to the first that has the same match: it leaves nothing to those behind it.
    fn for_match(&self, matches: usize) -> impl Iterator<Item = usize> {
        let last = self.by_match.get(&matches).and_then(|numbers| numbers.first()).copied();
        self.numbers.range(..=last.unwrap_or(usize::MAX)).copied()
    }

    fn close(&mut self, matches: usize) {
        for number in self.by_match.get(&matches).into_iter().flatten() {
            self.numbers.remove(number);
        }
    }
}

/// The classes of one entry.
struct Search<'c, 'a, 't> {
    cells: &'c Cells<'a, 't>,
    direction: Direction,
    number: usize,
    found: Vec<Class>,
}

impl Search<'_, '_, '_> {
    fn run(&mut self, open: &Open, others_aligned: &[Option<usize>]) {
        let (rules, others) = self.direction.sides(self.cells);
        let Some(own) = rules.entries.get(self.number) else {
            return;
        };
        // What takes the most usual of its requests comes first.
        let mut usual = None;
        match self.find(None) {
            Found::Request(witness, old, new) => {
                let other = self.direction.ordered(new, old).0;
                let length = witness.path.as_ref().map_or(1, Vec::len);
                let is_told = self.is_told(other, others_aligned);
                let is_same = self.cells.is_same(old, new, length);
                usual = Some(other).filter(|_| is_told || !is_same);
                if !is_told && !is_same {
                    self.push(usual, Some(Example(*witness)));
                }
            }
            Found::None => return,
            Found::Unknown => {}
        }
        for other in open.for_match(own.matches).filter(|number| Some(*number) != usual) {
            let Some(entry) = others.entries.get(other) else {
                continue;
            };
            let is_same = entry.effect == own.effect;
            if is_same || self.is_told(other, others_aligned) || are_apart(&own.literals, &entry.literals) {
                continue;
            }
            if self.found.len() == NAMED || self.cells.is_exhausted() {
                let example = self.found.first().and_then(|class| class.example.clone());
                self.push(None, example);
                return;
            }
            match self.find(Some(other)) {
                Found::Request(witness, ..) => self.push(Some(other), Some(Example(*witness))),
                Found::Unknown => self.push(Some(other), None),
                Found::None => {}
            }
        }
    }

    /// Whether the other one was looked at before, and has told of what both take.
    fn is_told(&self, other: usize, others_aligned: &[Option<usize>]) -> bool {
        self.direction == Direction::FromNew && others_aligned.get(other).is_some_and(Option::is_none)
    }

    /// A request of this entry and another one.
    fn find(&self, other: Option<usize>) -> Found {
        let (old, new) = self.direction.ordered(Some(self.number), other);
        self.cells.find(old, new)
    }

    fn push(&mut self, other: Option<usize>, example: Option<Example>) {
        let (rules, others) = self.direction.sides(self.cells);
        let own = self.side(rules, self.number);
        let other = other.and_then(|number| self.side(others, number));
        let (old, new) = self.direction.ordered(own, other);
        self.found.push(Class { old, new, example });
    }

    fn side(&self, rules: &Rules, number: usize) -> Option<Side> {
        let entry = rules.entries.get(number)?;
        Some(Side {
            number,
            rule: reference(entry.taker),
            effect: self.cells.numbers.effect(entry.effect)?.clone(),
        })
    }
}

/// Whether it is plain that no request meets both: their paths exclude each other.
fn are_apart(a: &[Literal], b: &[Literal]) -> bool {
    match (path(a), path(b)) {
        (Some(a), Some(b)) => a.excludes(b),
        _ => false,
    }
}

fn path<'l, 't>(literals: &'l [Literal<'t>]) -> Option<&'l Literal<'t>> {
    literals.iter().find(|literal| *literal.variable() == Variable::Path)
}
