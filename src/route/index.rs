//! Which rules can match at all.
//!
//! Of 10,000 rules a request can match a few: those for its path, for a value of one of its headers. Each rule stands in one list, under
//! the condition that the fewest rules share; a request asks for the lists of what it has. The lists are in order, and one that cannot
//! hold an earlier rule than the one found is not read further: what comes out is the first rule that matches, as a plain scan finds it.

use std::sync::Arc;

use hashbrown::HashMap;

use super::Route;
use crate::matcher::regex::Shape;
use crate::matcher::{HeaderMatcher, PathMatcher, StringMatcher};
use crate::request::Request;

/// So few are tested one after the other sooner than they are looked up, and most hosts have no more.
const FEW: usize = 3;

/// By a name, or by a value.
type Lists<K> = HashMap<K, Vec<u32>>;

/// Lists of rules' numbers, ascending, by what a request must have for them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Index {
    exact_paths: Lists<Box<[u8]>>,
    prefixes: Prefixes,
    /// By what stands between two slashes.
    path_segments: Lists<Box<[u8]>>,
    /// By a header's name, then by its value.
    header_values: HashMap<Box<str>, Lists<Box<[u8]>>>,
    /// By a header's name, then by what stands between semicolons of its value.
    header_parts: HashMap<Box<str>, Lists<Box<[u8]>>>,
    /// By a header's name, then by what its value begins with.
    header_prefixes: HashMap<Box<str>, Prefixes>,
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
    PathSegment(&'r [u8]),
    HeaderValue(&'r str, &'r [u8]),
    HeaderPart(&'r str, &'r [u8]),
    HeaderPrefix(&'r str, &'r [u8]),
    HeaderName(&'r str),
}

impl Index {
    /// An index over rules in order; none over a few.
    pub fn new(routes: &[Arc<Route>]) -> Option<Self> {
        if routes.len() <= FEW {
            return None;
        }
        let mut sharers: HashMap<Key, u32> = HashMap::new();
        for key in routes.iter().flat_map(|route| keys(route)) {
            *sharers.entry(key).or_default() += 1;
        }
        let mut index = Index::default();
        let mut prefixes: HashMap<&[u8], Vec<u32>> = HashMap::new();
        let mut header_prefixes: HashMap<&str, HashMap<&[u8], Vec<u32>>> = HashMap::new();
        for (number, route) in (0..).zip(routes) {
            let list = match keys(route).min_by_key(|key| sharers.get(key)) {
                Some(Key::ExactPath(path)) => index.exact_paths.entry_ref(path).or_default(),
                Some(Key::Prefix(prefix)) => prefixes.entry(prefix).or_default(),
                Some(Key::PathSegment(text)) => index.path_segments.entry_ref(text).or_default(),
                Some(Key::HeaderValue(name, value)) => {
                    let values = index.header_values.entry_ref(name).or_default();
                    values.entry_ref(value).or_default()
                }
                Some(Key::HeaderPart(name, part)) => {
                    let parts = index.header_parts.entry_ref(name).or_default();
                    parts.entry_ref(part).or_default()
                }
                Some(Key::HeaderPrefix(name, prefix)) => {
                    header_prefixes.entry(name).or_default().entry(prefix).or_default()
                }
                Some(Key::HeaderName(name)) => index.header_names.entry_ref(name).or_default(),
                None => &mut index.rest,
            };
            list.push(number);
        }
        index.prefixes = Prefixes::new(prefixes);
        let header_prefixes = header_prefixes.into_iter();
        index.header_prefixes = header_prefixes
            .map(|(name, prefixes)| (name.into(), Prefixes::new(prefixes)))
            .collect();
        Some(index)
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
        for (name, parts) in &self.header_parts {
            let values = request.values(name);
            let all = values.flat_map(|value| value.split(|byte| *byte == b';'));
            all.filter_map(|part| parts.get(part)).for_each(|list| look(list));
        }
        for (name, prefixes) in &self.header_prefixes {
            let values = request.values(name);
            values.for_each(|value| prefixes.of(value).for_each(&mut look));
        }
        if !self.path_segments.is_empty() {
            let segments = path.split(|byte| *byte == b'/');
            let lists = segments.filter_map(|segment| self.path_segments.get(segment));
            lists.for_each(|list| look(list));
        }
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

/// What a rule may be found by: what its path and each of its headers must be, begin with or have in it.
fn keys(route: &Route) -> impl Iterator<Item = Key<'_>> {
    let (path, segments) = match &route.matches.path {
        PathMatcher::Exact(path) => (Some(Key::ExactPath(path)), &[][..]),
        PathMatcher::Prefix(prefix) => (Some(Key::Prefix(prefix)), &[][..]),
        PathMatcher::Regex(regex) => {
            let needs = regex.needs();
            let path = match &needs.shape {
                Shape::Exact(path) => Key::ExactPath(path),
                Shape::Prefix(prefix) | Shape::Other(prefix) => Key::Prefix(prefix),
            };
            (Some(path), &needs.segments[..])
        }
        _ => (None, &[][..]),
    };
    // Nearly every path begins with a slash.
    let path = path.filter(|key| !matches!(key, Key::Prefix(prefix) if prefix.len() < 2));
    let segments = segments.iter().map(|segment| Key::PathSegment(segment));
    let headers = route.matches.headers.iter().filter(|header| !header.without);
    path.into_iter().chain(segments).chain(headers.map(header_key))
}

fn header_key(header: &HeaderMatcher) -> Key<'_> {
    let name = &header.name;
    let prefix = match &header.value {
        StringMatcher::Exact(value) => return Key::HeaderValue(name, value),
        StringMatcher::Prefix(prefix) => prefix,
        StringMatcher::Regex(regex) => {
            let needs = regex.needs();
            match (&needs.part, &needs.shape) {
                (Some(part), _) => return Key::HeaderPart(name, part),
                (None, Shape::Exact(value)) => return Key::HeaderValue(name, value),
                (None, Shape::Prefix(prefix) | Shape::Other(prefix)) => prefix.as_slice(),
            }
        }
        StringMatcher::Present => &[],
    };
    match prefix {
        [] => Key::HeaderName(name),
        prefix => Key::HeaderPrefix(name, prefix),
    }
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
