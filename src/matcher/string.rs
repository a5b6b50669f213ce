//! Values compared byte for byte.

use super::Regex;

/// `StringMatch`, compiled.
#[derive(Debug, Clone, PartialEq)]
pub enum StringMatcher {
    /// Any value, even an empty one.
    Present,
    /// The same bytes.
    Exact(Box<[u8]>),
    /// Begins with these bytes.
    Prefix(Box<[u8]>),
    /// The whole value matches.
    Regex(Regex),
}

impl StringMatcher {
    /// Whether a value that is there matches.
    pub fn matches(&self, value: &[u8]) -> bool {
        match self {
            StringMatcher::Present => true,
            StringMatcher::Exact(exact) => value == &**exact,
            StringMatcher::Prefix(prefix) => value.starts_with(prefix),
            StringMatcher::Regex(regex) => regex.is_full_match(value),
        }
    }
}
