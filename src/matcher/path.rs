//! The path, without its query.

use super::{Regex, StringMatcher};

/// `uri`, compiled.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum PathMatcher {
    /// No condition. It counts as the prefix `/` where a rewrite asks what was matched.
    #[default]
    Any,
    /// The same bytes.
    Exact(Box<[u8]>),
    /// The same bytes in any ASCII case.
    ExactIgnoringCase(Box<[u8]>),
    /// Begins with these bytes; a segment's end means nothing.
    Prefix(Box<[u8]>),
    /// Begins with these bytes in any ASCII case.
    PrefixIgnoringCase(Box<[u8]>),
    /// The whole path matches; `ignoreUriCase` does not change it.
    Regex(Regex),
}

impl PathMatcher {
    /// `uri` with `ignoreUriCase`; presence is no condition on a path.
    pub fn new(uri: StringMatcher, ignore_case: bool) -> Self {
        match (uri, ignore_case) {
            (StringMatcher::Present, _) => PathMatcher::Any,
            (StringMatcher::Exact(path), false) => PathMatcher::Exact(path),
            (StringMatcher::Exact(path), true) => PathMatcher::ExactIgnoringCase(path),
            (StringMatcher::Prefix(path), false) => PathMatcher::Prefix(path),
            (StringMatcher::Prefix(path), true) => PathMatcher::PrefixIgnoringCase(path),
            (StringMatcher::Regex(regex), _) => PathMatcher::Regex(regex),
        }
    }

    /// Whether a path matches.
    pub fn matches(&self, path: &[u8]) -> bool {
        match self {
            PathMatcher::Any => true,
            PathMatcher::Exact(exact) => path == &**exact,
            PathMatcher::ExactIgnoringCase(exact) => path.eq_ignore_ascii_case(exact),
            PathMatcher::Prefix(prefix) => path.starts_with(prefix),
            PathMatcher::PrefixIgnoringCase(prefix) => path
                .get(..prefix.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(prefix)),
            PathMatcher::Regex(regex) => regex.is_full_match(path),
        }
    }

    /// How many bytes of a matching path a rewrite replaces: the prefix, or all of it.
    pub fn matched_len(&self, path: &[u8]) -> usize {
        match self {
            PathMatcher::Any => 1.min(path.len()),
            PathMatcher::Prefix(prefix) | PathMatcher::PrefixIgnoringCase(prefix) => prefix.len(),
            _ => path.len(),
        }
    }

    pub(super) fn is_catch_all(&self) -> bool {
        match self {
            PathMatcher::Any => true,
            PathMatcher::Prefix(prefix) | PathMatcher::PrefixIgnoringCase(prefix) => **prefix == *b"/",
            PathMatcher::Regex(regex) => regex.as_str() == ".*",
            PathMatcher::Exact(_) | PathMatcher::ExactIgnoringCase(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str, ignore_case: bool) -> PathMatcher {
        PathMatcher::new(StringMatcher::Prefix(text.as_bytes().into()), ignore_case)
    }

    #[test]
    fn prefix_does_not_stop_at_a_segment() {
        assert!(prefix("/foo", false).matches(b"/foobar"));
        assert!(!prefix("/foo", false).matches(b"/fo"));
    }

    #[test]
    fn case_is_ignored_where_asked() {
        assert!(prefix("/Foo", true).matches(b"/fOO/x"));
        assert!(!prefix("/Foo", false).matches(b"/foo"));
    }
}
