//! Which rules of two lists are the same ones, in the same order.

use std::collections::{HashMap, VecDeque};

/// For each entry of both lists the number of its like in the other one; none for what only one has, or has elsewhere.
///
/// A request that two lists of rules treat differently is taken by an entry without a like on one side at least: if both of its takers had
/// one, the earlier of them would take it on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Alignment {
    pub old: Vec<Option<usize>>,
    pub new: Vec<Option<usize>>,
}

impl Alignment {
    /// Each entry with the first equal one that is left, and of these pairs as many as stand in one order.
    pub fn new<K: std::hash::Hash + Eq>(old: &[K], new: &[K]) -> Self {
        let mut places: HashMap<&K, VecDeque<usize>> = HashMap::new();
        for (place, key) in new.iter().enumerate() {
            places.entry(key).or_default().push_back(place);
        }
        let pairs = old.iter().enumerate().filter_map(|(number, key)| {
            let place = places.get_mut(key)?.pop_front()?;
            Some((number, place))
        });
        let mut alignment = Alignment {
            old: vec![None; old.len()],
            new: vec![None; new.len()],
        };
        for (number, place) in longest_ascending(&pairs.collect::<Vec<_>>()) {
            if let (Some(a), Some(b)) = (alignment.old.get_mut(number), alignment.new.get_mut(place)) {
                (*a, *b) = (Some(place), Some(number));
            }
        }
        alignment
    }
}

/// The most pairs whose second numbers ascend as their first do: patience sorting.
fn longest_ascending(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // The last pair of the best sequence of each length, and each pair's predecessor.
    let mut tops: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    let place = |index: &usize| pairs.get(*index).map(|(_, place)| *place);
    for (index, (_, own)) in pairs.iter().enumerate() {
        let length = tops.partition_point(|top| place(top) < Some(*own));
        before.push(length.checked_sub(1).and_then(|shorter| tops.get(shorter).copied()));
        match tops.get_mut(length) {
            Some(top) => *top = index,
            None => tops.push(index),
        }
    }
    let predecessor = |index: &usize| before.get(*index).copied().flatten();
    let mut found: Vec<(usize, usize)> = std::iter::successors(tops.last().copied(), predecessor)
        .filter_map(|index| pairs.get(index).copied())
        .collect();
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aligned(old: &str, new: &str) -> Vec<Option<usize>> {
        let keys = |text: &str| text.chars().collect::<Vec<_>>();
        Alignment::new(&keys(old), &keys(new)).old
    }

    #[test]
    fn what_stays_in_order_is_aligned() {
        assert_eq!(aligned("abc", "axbc"), [Some(0), Some(2), Some(3)]);
        assert_eq!(aligned("abcd", "bcda"), [None, Some(0), Some(1), Some(2)]);
        assert_eq!(aligned("abc", "xyz"), [None, None, None]);
        assert_eq!(aligned("aa", "aaa"), [Some(0), Some(1)]);
        assert_eq!(aligned("", "a"), []);
    }
}
