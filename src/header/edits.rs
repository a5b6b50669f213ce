//! What a filter changes in a map of headers, in order.

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::header::map::HeaderMap;

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderEdit<'t> {
    /// Removes all lines of a name.
    Remove(Cow<'t, str>),
    /// Leaves one line of a name, with this value.
    Set(Cow<'t, str>, Cow<'t, [u8]>),
    /// Adds a line, or extends the one line of a header that Envoy keeps in one.
    Add(Cow<'t, str>, Cow<'t, [u8]>),
}

/// Changes as they are made: each sees the ones before it.
///
/// The map itself is copied only once somebody looks at it after a change.
#[derive(Debug, Clone)]
pub struct HeaderEdits<'t, 'm> {
    original: &'m HeaderMap,
    /// Most requests get one, for their cluster.
    edits: SmallVec<[HeaderEdit<'t>; 2]>,
}

impl<'t, 'm> HeaderEdits<'t, 'm> {
    /// No change of `original` yet.
    pub fn new(original: &'m HeaderMap) -> Self {
        HeaderEdits {
            original,
            edits: SmallVec::new(),
        }
    }

    /// Removes all lines of a name.
    pub fn remove(&mut self, name: impl Into<Cow<'t, str>>) {
        self.edits.push(HeaderEdit::Remove(name.into()));
    }

    /// Leaves one line of a name, with this value.
    pub fn set(&mut self, name: impl Into<Cow<'t, str>>, value: impl Into<Cow<'t, [u8]>>) {
        self.edits.push(HeaderEdit::Set(name.into(), value.into()));
    }

    /// Adds a line.
    pub fn add(&mut self, name: impl Into<Cow<'t, str>>, value: impl Into<Cow<'t, [u8]>>) {
        self.edits.push(HeaderEdit::Add(name.into(), value.into()));
    }

    /// The changes, in order.
    pub fn into_edits(self) -> SmallVec<[HeaderEdit<'t>; 2]> {
        self.edits
    }

    /// How many there are so far.
    pub fn count(&self) -> usize {
        self.edits.len()
    }

    /// A name's first value after the first `count` changes.
    pub fn value_after(&self, count: usize, name: &str) -> Option<Vec<u8>> {
        let value = self.original.get_all(name).map(<[u8]>::to_vec).next();
        self.edits.iter().take(count).fold(value, |value, edit| match edit {
            HeaderEdit::Remove(key) if key == name => None,
            HeaderEdit::Set(key, new) if key == name => Some(new.to_vec()),
            HeaderEdit::Add(key, new) if key == name => match value {
                Some(old) if is_kept_in_one_line(name) => Some([&old, &b","[..], new].concat()),
                Some(old) => Some(old),
                None => Some(new.to_vec()),
            },
            _ => value,
        })
    }

    /// The map with all changes made.
    pub fn applied(&self) -> HeaderMap {
        let mut map = self.original.clone();
        self.edits.iter().for_each(|edit| apply(&mut map, edit));
        map
    }
}

fn apply(map: &mut HeaderMap, edit: &HeaderEdit) {
    match edit {
        HeaderEdit::Remove(name) => map.remove(name),
        HeaderEdit::Set(name, value) => {
            map.remove(name);
            map.push(name, value);
        }
        HeaderEdit::Add(name, value) => match map.get(name).filter(|_| is_kept_in_one_line(name)) {
            Some(old) => {
                let joined = [old, b",", value].concat();
                map.remove(name);
                map.push(name, &joined);
            }
            None => map.push(name, value),
        },
    }
}

/// Headers that Envoy keeps in one line: a second value is joined to the first with a comma.
///
/// The inline headers of envoy `envoy/http/header_map.h` and those its filters register.
pub fn is_kept_in_one_line(name: &str) -> bool {
    const NAMES: [&str; 44] = [
        "accept",
        "accept-encoding",
        "access-control-allow-credentials",
        "access-control-allow-headers",
        "access-control-allow-methods",
        "access-control-allow-origin",
        "access-control-allow-private-network",
        "access-control-expose-headers",
        "access-control-max-age",
        "access-control-request-headers",
        "access-control-request-method",
        "access-control-request-private-network",
        "authentication",
        "authorization",
        "cache-control",
        "cdn-loop",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "date",
        "etag",
        "expect",
        "grpc-accept-encoding",
        "grpc-message",
        "grpc-status",
        "grpc-timeout",
        "host",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "keep-alive",
        "origin",
        "pragma",
        "proxy-connection",
        "referer",
        "server",
        "te",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "via",
    ];
    NAMES.contains(&name)
        || matches!(
            name,
            "x-forwarded-for"
                | "x-forwarded-proto"
                | "x-forwarded-host"
                | "x-request-id"
                | "location"
                | "x-client-trace-id"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_sees_the_ones_before_it() {
        let map: HeaderMap = [("a", "1"), ("a", "2"), ("user-agent", "x")].into_iter().collect();
        let mut edits = HeaderEdits::new(&map);
        edits.set("a", &b"3"[..]);
        edits.add("a", &b"4"[..]);
        edits.add("user-agent", &b"y"[..]);
        edits.remove("b");
        assert_eq!(edits.value_after(0, "a"), Some(b"1".to_vec()));
        assert_eq!(edits.value_after(edits.count(), "a"), Some(b"3".to_vec()));
        assert_eq!(edits.value_after(edits.count(), "user-agent"), Some(b"x,y".to_vec()));
        let expected: HeaderMap = [("a", "3"), ("a", "4"), ("user-agent", "x,y")].into_iter().collect();
        assert!(edits.applied().iter().eq(expected.iter()));
    }
}
