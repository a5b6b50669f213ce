//! The one file that knows the regex engine.
//!
//! Envoy matches with RE2 in Latin-1 mode, over the whole value. The engine here is linear too, and works on bytes without Unicode; what its
//! syntax reads otherwise than RE2's is translated or refused by [`re2`].

use std::sync::Arc;

use regex::bytes::{Regex as Engine, RegexBuilder};

pub use cache::Regexes;
pub use shape::Shape;

mod cache;
#[cfg(test)]
mod cost;
mod re2;
mod shape;

/// A compiled expression; clones share it.
#[derive(Debug, Clone)]
pub struct Regex {
    written: Arc<str>,
    engine: Engine,
}

/// Why an expression is refused, in one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidRegex(pub String);

impl std::fmt::Display for InvalidRegex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Regex {
    /// An expression for whole values. It may take `memory` bytes once compiled.
    pub fn new(written: &str, memory: usize) -> Result<Self, InvalidRegex> {
        let pattern = re2::translate(written)?;
        Regex::build(written, &format!(r"\A(?:{pattern})\z"), memory)
    }

    /// An expression to look for anywhere in a value.
    pub fn unanchored(written: &str, memory: usize) -> Result<Self, InvalidRegex> {
        Regex::build(written, &re2::translate(written)?, memory)
    }

    fn build(written: &str, pattern: &str, memory: usize) -> Result<Self, InvalidRegex> {
        let mut builder = RegexBuilder::new(pattern);
        let engine = builder.unicode(false).size_limit(memory).dfa_size_limit(memory).build();
        match engine {
            Ok(engine) => Ok(Regex {
                written: written.into(),
                engine,
            }),
            Err(regex::Error::CompiledTooBig(limit)) => Err(InvalidRegex(format!(
                "`{written}` takes more than {limit} bytes once compiled; make it shorter"
            ))),
            Err(error) => {
                let reason = error.to_string();
                let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
                Err(InvalidRegex(format!(
                    "`{written}` is not a regular expression: {reason}"
                )))
            }
        }
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// Whether all of `value` matches.
    pub fn is_full_match(&self, value: &[u8]) -> bool {
        self.engine.is_match(value)
    }

    /// How many groups it has.
    pub fn groups(&self) -> usize {
        self.engine.captures_len().saturating_sub(1)
    }

    /// `value` with every match replaced, as RE2's GlobalReplace: `\0` to `\9` are groups, `\\` is a backslash.
    pub fn replace_all(&self, value: &[u8], rewrite: &[u8]) -> Vec<u8> {
        let replaced = self
            .engine
            .replace_all(value, |found: &regex::bytes::Captures| expand(found, rewrite));
        replaced.into_owned()
    }
}

impl PartialEq for Regex {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

fn expand(found: &regex::bytes::Captures, rewrite: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(rewrite.len());
    let mut bytes = rewrite.iter();
    while let Some(byte) = bytes.next() {
        match (byte, if *byte == b'\\' { bytes.next() } else { None }) {
            (b'\\', Some(digit @ b'0'..=b'9')) => {
                let group = found.get(usize::from(digit - b'0'));
                text.extend_from_slice(group.map_or(b"", |group| group.as_bytes()));
            }
            (b'\\', Some(other)) => text.push(*other),
            _ => text.push(*byte),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMORY: usize = 1 << 20;

    fn matches(pattern: &str, value: &[u8]) -> bool {
        Regex::new(pattern, MEMORY).unwrap().is_full_match(value)
    }

    #[test]
    fn the_whole_value_has_to_match() {
        assert!(matches("a|ab", b"ab"));
        assert!(!matches("a", b"ab"));
        assert!(!matches("b$", b"ab"));
    }

    #[test]
    fn a_dot_is_any_byte_but_a_newline() {
        assert!(matches(".*", b"\xe9\xff"));
        assert!(!matches(".", b"\n"));
        assert!(matches("(?s).", b"\n"));
    }

    #[test]
    fn every_match_is_replaced_with_its_groups() {
        let regex = Regex::unanchored("/(a)(b)?", MEMORY).unwrap();
        assert_eq!(regex.replace_all(b"/a/ab", br"<\1\2\0\\$1>"), br"<a/a\$1><ab/ab\$1>");
        assert_eq!(Regex::unanchored("$", MEMORY).unwrap().replace_all(b"/x", b"!"), b"/x!");
    }

    #[test]
    fn an_expression_has_a_memory_limit() {
        let error = Regex::new("([ab]{30}c){30}", 1 << 12).unwrap_err();
        assert!(error.0.contains("4096 bytes"), "{error}");
    }
}
