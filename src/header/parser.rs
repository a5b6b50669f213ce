//! `headers`: what a rule adds, overwrites and removes.

use std::borrow::Cow;

use crate::config::virtual_service::HeaderOperations;
use crate::header::edits::HeaderEdits;
use crate::header::format::{Attribute, Context, Format};
use crate::header::map::HeaderMap;

/// Header operations, compiled, as Envoy's `HeaderParser`: removals first, then what overwrites, then what appends.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HeaderParser {
    remove: Vec<Box<str>>,
    set: Vec<(Box<str>, Format)>,
    add: Vec<(Box<str>, Format)>,
}

impl HeaderParser {
    /// Compiles operations. Pseudo-headers and `host` are not among them: istiod drops them, or makes them the authority.
    ///
    /// `translateHeadersOperations`, istio `pilot/pkg/networking/core/route/route.go`.
    pub fn new(operations: &HeaderOperations) -> Self {
        let plain = |name: &str| !name.starts_with(':') && !name.eq_ignore_ascii_case("host");
        let formats = |map: &std::collections::BTreeMap<String, String>| {
            let named = map.iter().filter(|(name, _)| plain(name));
            named
                .filter_map(|(name, value)| Some((name.to_ascii_lowercase().into(), Format::parse(value).ok()?)))
                .collect()
        };
        HeaderParser {
            remove: operations
                .remove
                .iter()
                .filter(|name| plain(name))
                .map(|name| name.to_ascii_lowercase().into())
                .collect(),
            set: formats(&operations.set),
            add: formats(&operations.add),
        }
    }

    /// One parser of two: a rule's with its only destination's behind it.
    pub fn joined(mut self, other: HeaderParser) -> Self {
        self.remove.extend(other.remove);
        self.set.extend(other.set);
        self.add.extend(other.add);
        self
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.set.is_empty() && self.add.is_empty()
    }

    /// The formats of all values.
    pub fn formats(&self) -> impl Iterator<Item = &Format> {
        self.set.iter().chain(&self.add).map(|(_, format)| format)
    }

    /// All operations in the order they are done: `remove`, `set` or `add`, the header, and what it gets.
    pub fn operations(&self) -> impl Iterator<Item = (&'static str, &str, Option<&Format>)> {
        let removed = self.remove.iter().map(|name| ("remove", &**name, None));
        let set = self.set.iter().map(|(name, format)| ("set", &**name, Some(format)));
        let add = self.add.iter().map(|(name, format)| ("add", &**name, Some(format)));
        removed.chain(set).chain(add)
    }

    /// Makes the changes. Formats read headers as they are once the removals are made, and a value that comes out empty changes nothing.
    ///
    /// `HeaderParser::evaluateHeaders`, envoy `source/common/router/header_parser.cc`.
    pub fn evaluate<'t>(&'t self, edits: &mut HeaderEdits<'t, '_>, side: Side) {
        self.remove.iter().for_each(|name| edits.remove(&**name));
        let removed = edits.count();
        for (name, format) in &self.set {
            let value = value(format, edits, removed, side);
            if !value.is_empty() {
                edits.set(&**name, value);
            }
        }
        for (name, format) in &self.add {
            let value = value(format, edits, removed, side);
            if !value.is_empty() {
                edits.add(&**name, value);
            }
        }
    }
}

/// Which map is changed, and what formats may read beside it.
#[derive(Clone, Copy)]
pub enum Side<'a> {
    /// A request's.
    Request(&'a dyn Fn(Attribute) -> Option<Vec<u8>>),
    /// A response's; the request's headers are as they went up.
    Response(&'a HeaderMap, &'a dyn Fn(Attribute) -> Option<Vec<u8>>),
}

/// The text, where formats see the first `count` changes.
fn value<'t>(format: &'t Format, edits: &HeaderEdits, count: usize, side: Side) -> Cow<'t, [u8]> {
    if let Some(literal) = format.literal() {
        return Cow::Borrowed(literal.as_bytes());
    }
    let current = |name: &str| edits.value_after(count, wire_name(name));
    Cow::Owned(match side {
        Side::Request(attribute) => format.fill(Context {
            request_header: &current,
            response_header: &|_| None,
            attribute,
        }),
        Side::Response(request, attribute) => format.fill(Context {
            request_header: &|name| request.get(wire_name(name)).map(<[u8]>::to_vec),
            response_header: &current,
            attribute,
        }),
    })
}

fn wire_name(name: &str) -> &str {
    if name == "host" { ":authority" } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_read_what_was_there_less_what_is_removed() {
        let operations = HeaderOperations {
            remove: vec!["gone".to_owned()],
            set: [("a", "%REQ(b)%"), ("b", "%REQ(a)%"), ("c", "%REQ(gone)%")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            add: [("b".to_owned(), "%REQ(b)%".to_owned())].into(),
        };
        let headers: HeaderMap = [("a", "1"), ("b", "2"), ("gone", "3")].into_iter().collect();
        let parser = HeaderParser::new(&operations);
        let mut edits = HeaderEdits::new(&headers);
        parser.evaluate(&mut edits, Side::Request(&|_| None));
        let expected: HeaderMap = [("a", "2"), ("b", "1"), ("b", "2")].into_iter().collect();
        assert!(edits.applied().iter().eq(expected.iter()));
    }
}
