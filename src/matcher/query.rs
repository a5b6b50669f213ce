//! One query parameter.

use super::StringMatcher;

/// A condition on a query parameter: on its first occurrence, neither name nor value decoded, as Envoy has it.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryParameterMatcher {
    /// Case-sensitive.
    pub name: Box<str>,
    /// What the value has to be; `?a` has an empty one.
    pub value: StringMatcher,
}

impl QueryParameterMatcher {
    /// Whether the condition holds for a query, which is none where the path has no question mark.
    pub fn matches(&self, query: Option<&[u8]>) -> bool {
        parameter(query, self.name.as_bytes()).is_some_and(|value| self.value.matches(value))
    }
}

/// The raw value of the first parameter of a name.
pub fn parameter<'q>(query: Option<&'q [u8]>, name: &[u8]) -> Option<&'q [u8]> {
    query?.split(|byte| *byte == b'&').find_map(|pair| {
        let end = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        (pair.get(..end)? == name).then(|| pair.get(end + 1..).unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_occurrence_counts_and_nothing_is_decoded() {
        assert_eq!(parameter(Some(b"a=1&a=2"), b"a"), Some(&b"1"[..]));
        assert_eq!(parameter(Some(b"b&a"), b"a"), Some(&b""[..]));
        assert_eq!(parameter(Some(b"a=%31"), b"a"), Some(&b"%31"[..]));
        assert_eq!(parameter(Some(b"a=b=c"), b"a"), Some(&b"b=c"[..]));
        assert_eq!(parameter(None, b"a"), None);
    }
}
