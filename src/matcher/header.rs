//! One header.

use super::StringMatcher;
use crate::request::Request;

/// A condition on a header, as Envoy's `HeaderMatcher`: each line of a name is tested alone, and one that matches is enough.
#[derive(Debug, Clone, PartialEq)]
pub struct HeaderMatcher {
    /// In lower case; a pseudo-header for what Istio writes as `method`, `authority`, `scheme`.
    pub name: Box<str>,
    /// What a value has to be.
    pub value: StringMatcher,
    /// Whether it is written under `withoutHeaders`: then no line may match, and a header that is missing counts as an empty one.
    pub without: bool,
}

impl HeaderMatcher {
    /// Whether the condition holds for a request.
    pub fn matches(&self, request: &Request) -> bool {
        // Not `Request::values`: this runs for each header of each rule that a request may meet, and a chain of iterators takes longer.
        match request.pseudo_header(&self.name) {
            Some(value) => self.holds(std::iter::once(value)),
            None => self.holds(request.headers.get_all(&self.name)),
        }
    }

    fn holds<'v>(&self, mut lines: impl Iterator<Item = &'v [u8]>) -> bool {
        let Some(first) = lines.next() else {
            return self.without && (self.value == StringMatcher::Present || !self.value.matches(b""));
        };
        let any = self.value.matches(first) || lines.any(|line| self.value.matches(line));
        any != self.without
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::map::HeaderMap;

    fn holds(value: StringMatcher, without: bool, lines: &[&str]) -> bool {
        let headers: HeaderMap = lines.iter().map(|line| ("x", *line)).collect();
        let name = "x".into();
        HeaderMatcher { name, value, without }.matches(&Request::new(&headers))
    }

    fn exact(text: &str) -> StringMatcher {
        StringMatcher::Exact(text.as_bytes().into())
    }

    #[test]
    fn each_line_is_tested_alone() {
        assert!(holds(exact("a"), false, &["b", "a"]));
        assert!(!holds(exact("a,b"), false, &["a", "b"]));
        assert!(!holds(exact("a"), true, &["b", "a"]));
    }

    #[test]
    fn a_missing_header_counts_as_empty_only_under_without() {
        assert!(!holds(exact(""), false, &[]));
        assert!(holds(exact("a"), true, &[]));
        assert!(!holds(exact(""), true, &[]));
        assert!(holds(StringMatcher::Present, true, &[]));
        assert!(!holds(StringMatcher::Present, true, &[""]));
        assert!(!holds(
            StringMatcher::Regex(crate::matcher::Regex::new(".*", 1 << 20).unwrap()),
            true,
            &[]
        ));
    }
}
