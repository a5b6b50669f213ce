//! Which rules can match at all.
//!
//! Of 10,000 rules a request can match a few: those for its path, for a value of one of its headers. Each rule stands in one list, under
//! the condition that the fewest rules share; a request asks for the lists of what it has. The lists are in order, and one that cannot
//! hold an earlier rule than the one found is not read further: what comes out is the first rule that matches, as a plain scan finds it.

use std::sync::Arc;

use hashbrown::HashMap;

use super::Route;
use crate::matcher::{PathMatcher, StringMatcher};
use crate::request::Request;

/// By a name, or by a value.
type Lists<K> = HashMap<K, Vec<u32>>;

/// Lists of rules' numbers, ascending, by what a request must have for them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Index {
    exact_paths: Lists<Box<[u8]>>,
    prefixes: Prefixes,
    /// By a header's name, then by its value.
    header_values: HashMap<Box<str>, Lists<Box<[u8]>>>,
    /// By the name of a header that has to be there.
    header_names: Lists<Box<str>>,
    /// Rules that anything may match.
    rest: Vec<u32>,
}

/// What a rule may be found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key<'r> {
    ExactPath(&'r [u8]),
    Prefix(&'r [u8]),
    HeaderValue(&'r str, &'r [u8]),
    HeaderName(&'r str),
}

impl Index {
    /// An index over rules in order.
    pub fn new(routes: &[Arc<Route>]) -> Self {
        let mut sharers: HashMap<Key, u32> = HashMap::new();
        for key in routes.iter().flat_map(|route| keys(route)) {
            *sharers.entry(key).or_default() += 1;
        }
        let mut index = Index::default();
        let mut prefixes: HashMap<&[u8], Vec<u32>> = HashMap::new();
        for (number, route) in (0..).zip(routes) {
            match keys(route).min_by_key(|key| sharers.get(key)) {
                Some(Key::ExactPath(path)) => index.exact_paths.entry_ref(path).or_default().push(number),
                Some(Key::Prefix(prefix)) => prefixes.entry(prefix).or_default().push(number),
                Some(Key::HeaderValue(name, value)) => {
                    index
                        .header_values
                        .entry_ref(name)
                        .or_default()
                        .entry_ref(value)
                        .or_default()
                        .push(number);
                }
                Some(Key::HeaderName(name)) => index.header_names.entry_ref(name).or_default().push(number),
                None => index.rest.push(number),
            }
        }
        index.prefixes = Prefixes::new(prefixes);
        index
    }

    /// The number of the first rule that matches, which `matches` tells of one. Lists that are short and cheap to test come first.
    pub fn find(&self, request: &Request, path: &[u8], matches: impl Fn(usize) -> bool) -> Option<usize> {
        let mut first = u32::MAX;
        let mut look = |list: &[u32]| {
            let earlier = list.iter().take_while(|number| **number < first);
            if let Some(found) = earlier.copied().find(|number| matches(*number as usize)) {
                first = found;
            }
        };
        if let Some(list) = self.exact_paths.get(path) {
            look(list);
        }
        for (name, values) in &self.header_values {
            request
                .values(name)
                .filter_map(|value| values.get(value))
                .for_each(|list| look(list));
        }
        self.prefixes.of(path).for_each(&mut look);
        for (_, list) in self
            .header_names
            .iter()
            .filter(|(name, _)| request.values(name).next().is_some())
        {
            look(list);
        }
        look(&self.rest);
        (first != u32::MAX).then_some(first as usize)
    }
}

/// What a rule may be found by: every condition that only one value fulfils, every prefix, every header that has to be there.
fn keys(route: &Route) -> impl Iterator<Item = Key<'_>> {
    let path = match &route.matches.path {
        PathMatcher::Exact(path) => Some(Key::ExactPath(path)),
        PathMatcher::Prefix(prefix) if prefix.len() > 1 => Some(Key::Prefix(prefix)),
        _ => None,
    };
    let headers = route
        .matches
        .headers
        .iter()
        .filter(|header| !header.without)
        .map(|header| match &header.value {
            StringMatcher::Exact(value) => Key::HeaderValue(&header.name, value),
            _ => Key::HeaderName(&header.name),
        });
    path.into_iter().chain(headers)
}

/// Prefixes in order, each with the longest other one that it begins with: all prefixes of a path are found by one binary search and a
/// walk from parent to parent.
#[derive(Debug, Clone, Default, PartialEq)]
struct Prefixes(Vec<Prefix>);

#[derive(Debug, Clone, PartialEq)]
struct Prefix {
    text: Box<[u8]>,
    parent: Option<usize>,
    rules: Vec<u32>,
}

impl Prefixes {
    fn new(lists: HashMap<&[u8], Vec<u32>>) -> Self {
        let mut prefixes: Vec<Prefix> = lists
            .into_iter()
            .map(|(text, rules)| Prefix {
                text: text.into(),
                parent: None,
                rules,
            })
            .collect();
        prefixes.sort_by(|a, b| a.text.cmp(&b.text));
        // Every text that could be a parent of the next one lies on the way to the root.
        let mut parents: Vec<Option<usize>> = Vec::with_capacity(prefixes.len());
        for (index, prefix) in prefixes.iter().enumerate() {
            let mut above = index.checked_sub(1);
            while let Some(candidate) = above.and_then(|above| prefixes.get(above)) {
                if prefix.text.starts_with(&candidate.text) {
                    break;
                }
                above = above.and_then(|above| parents.get(above).copied().flatten());
            }
            parents.push(above);
        }
        prefixes
            .iter_mut()
            .zip(parents)
            .for_each(|(prefix, parent)| prefix.parent = parent);
        Prefixes(prefixes)
    }

    /// The lists of all prefixes of a path, the longest first.
    fn of<'i>(&'i self, path: &'i [u8]) -> impl Iterator<Item = &'i [u32]> {
        let before = self.0.partition_point(|prefix| &*prefix.text <= path).checked_sub(1);
        let parent = |index: &usize| self.0.get(*index).and_then(|prefix| prefix.parent);
        std::iter::successors(before, parent)
            .filter_map(|index| self.0.get(index))
            .filter(|prefix| path.starts_with(&prefix.text))
            .map(|prefix| &*prefix.rules)
    }
}

#[cfg(test)]
mod tests;
