//! What was done to the rules, as they are written.

use super::alignment::Alignment;
use super::cells::{Cells, Found};
use super::rules::{Entry, Rules};
use super::{RuleChange, RuleChangeKind, conditions, reference};
use crate::route::Taker;

/// Every rule that is not what it was, in the order of the new list; those that are gone stand where they stood.
pub(super) fn changes(cells: &Cells, alignment: &Alignment) -> Vec<RuleChange> {
    let mut gone = unaligned(cells.old, &alignment.old);
    let mut changes: Vec<(usize, RuleChange)> = Vec::new();
    let mut added = unaligned(cells.new, &alignment.new);
    type Same = fn(&Loose, &Loose) -> bool;
    let kinds: [(RuleChangeKind, Same); 3] = [
        (RuleChangeKind::Moved, |old, new| {
            old.entry.matches == new.entry.matches && old.entry.effect == new.entry.effect
        }),
        (RuleChangeKind::Changed, |old, new| {
            old.entry.matches == new.entry.matches
        }),
        (RuleChangeKind::Rematched, |old, new| {
            old.entry.effect == new.entry.effect && old.behind == new.behind
        }),
    ];
    for (kind, is_same) in kinds {
        added.retain(|new| {
            let Some(place) = gone.iter().position(|old| is_same(old, new)) else {
                return true;
            };
            let old = gone.remove(place);
            changes.push((new.behind, change(cells, kind, Some(&old), Some(new))));
            false
        });
    }
    changes.extend(
        added
            .iter()
            .map(|new| (new.behind, change(cells, RuleChangeKind::Added, None, Some(new)))),
    );
    changes.extend(
        gone.iter()
            .map(|old| (old.behind, change(cells, RuleChangeKind::Gone, Some(old), None))),
    );
    if alignment.old.iter().chain(&alignment.new).any(Option::is_none) {
        changes.extend(reached(cells, alignment));
    }
    let order = |change: &RuleChange| {
        let place = change.new.as_ref().or(change.old.as_ref());
        place.map(|rule| (rule.http, rule.r#match))
    };
    changes.sort_by_key(|(behind, change)| (*behind, order(change)));
    changes.into_iter().map(|(_, change)| change).collect()
}

/// A rule without a like, and how many rules with one stand before it.
struct Loose<'r, 't> {
    number: usize,
    entry: &'r Entry<'t>,
    behind: usize,
}

fn unaligned<'r, 't>(rules: &'r Rules<'t>, aligned: &[Option<usize>]) -> Vec<Loose<'r, 't>> {
    let mut behind = 0;
    let mut loose = Vec::new();
    for (number, (entry, like)) in rules.entries.iter().zip(aligned).enumerate() {
        if like.is_some() {
            behind += 1;
        } else if matches!(entry.taker, Taker::Rule(_)) {
            loose.push(Loose { number, entry, behind });
        }
    }
    loose
}

fn change(cells: &Cells, kind: RuleChangeKind, old: Option<&Loose>, new: Option<&Loose>) -> RuleChange {
    let rule = |loose: Option<&Loose>| loose.and_then(|loose| reference(loose.entry.taker));
    RuleChange {
        kind,
        old: rule(old),
        new: rule(new),
        conditions: match (old, new) {
            (Some(Loose { entry: old, .. }), Some(Loose { entry: new, .. })) => match (old.taker, new.taker) {
                (Taker::Rule(old), Taker::Rule(new)) => conditions::changes(&old.matches, &new.matches),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        },
        is_hidden: match (old, new) {
            (_, Some(new)) => cells.find(None, Some(new.number)) == Found::None,
            (Some(old), None) => cells.find(Some(old.number), None) == Found::None,
            (None, None) => false,
        },
    }
}

/// The rules that stayed what they were, and that requests reach on one side only.
fn reached(cells: &Cells, alignment: &Alignment) -> Vec<(usize, RuleChange)> {
    let mut changes = Vec::new();
    let pairs = alignment
        .old
        .iter()
        .enumerate()
        .filter_map(|(old, new)| Some((old, (*new)?)));
    for (behind, (old, new)) in pairs.enumerate() {
        if cells.is_exhausted() {
            break;
        }
        let entries = (cells.old.entries.get(old), cells.new.entries.get(new));
        let (Some(before), Some(after)) = entries else { continue };
        if !matches!(after.taker, Taker::Rule(_)) {
            continue;
        }
        let was = cells.find(Some(old), None);
        let is = cells.find(None, Some(new));
        let kind = match (was == Found::None, is == Found::None) {
            (false, true) => RuleChangeKind::Hidden,
            (true, false) => RuleChangeKind::Revealed,
            _ => continue,
        };
        let change = RuleChange {
            kind,
            old: reference(before.taker),
            new: reference(after.taker),
            conditions: Vec::new(),
            is_hidden: kind == RuleChangeKind::Hidden,
        };
        changes.push((behind, change));
    }
    changes
}
