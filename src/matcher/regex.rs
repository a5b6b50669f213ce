//! Regular expressions as RE2 has them in Latin-1 mode, in which Envoy runs it: bytes, no Unicode, and a time that grows with the value's
//! length alone, whatever the expression.
//!
//! ```text
//! text ──syntax──▶ Node ──program──▶ Program ──automaton──▶ does it take the whole value?
//!                                          └────search────▶ where does it match first, and what do its groups take?
//! ```
//!
//! An engine of our own, for this is a small part of what the libraries offer and was a quarter of the filter with them. They are what the
//! tests hold it against.

use std::sync::{Arc, Mutex, PoisonError};

pub use cache::Regexes;
pub use needs::Needs;
pub use shape::Shape;

use automaton::States;
use program::{Program, TooBig};
use search::Found;
use syntax::Node;

mod automaton;
mod cache;
#[cfg(test)]
mod cost;
mod needs;
mod program;
mod search;
mod shape;
mod syntax;

/// How often all searches of one replacement together may look at each byte of a value.
const LOOKS: usize = 16;
/// A short value's bytes may be looked at more often.
const SHORT: usize = 256;

/// A compiled expression; clones share it.
#[derive(Debug, Clone)]
pub struct Regex(Arc<Compiled>);

#[derive(Debug)]
struct Compiled {
    written: Box<str>,
    program: Program,
    groups: usize,
    needs: Needs,
    /// What is known of the program's ways so far.
    states: Mutex<States>,
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
        Regex::compile(written, false, memory)
    }

    /// An expression to look for anywhere in a value.
    pub fn unanchored(written: &str, memory: usize) -> Result<Self, InvalidRegex> {
        Regex::compile(written, true, memory)
    }

    fn compile(written: &str, captures: bool, memory: usize) -> Result<Self, InvalidRegex> {
        let (node, groups) = Node::parse(written)?;
        let program = Program::new(&node, captures, memory).map_err(|TooBig| {
            InvalidRegex(format!(
                "`{written}` takes more than {memory} bytes once compiled; make it shorter"
            ))
        })?;
        Ok(Regex(Arc::new(Compiled {
            written: written.into(),
            program,
            groups,
            needs: Needs::new(&node),
            states: Mutex::default(),
        })))
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0.written
    }

    /// Whether all of `value` matches.
    pub fn is_full_match(&self, value: &[u8]) -> bool {
        let mut states = self.0.states.lock().unwrap_or_else(PoisonError::into_inner);
        states.take(&self.0.program, value)
    }

    /// What a value must have in it.
    pub fn needs(&self) -> &Needs {
        &self.0.needs
    }

    /// How many groups it has.
    pub fn groups(&self) -> usize {
        self.0.groups
    }

    /// `value` with every match replaced, as RE2's GlobalReplace: `\0` to `\9` are groups, `\\` is a backslash.
    ///
    /// An expression may look at the whole rest of a value for each match, as `(a.*b)?` does, and RE2 then takes seconds for the longest
    /// values. Here such a value is replaced no further once each of its bytes was looked at so often.
    pub fn replace_all(&self, value: &[u8], rewrite: &[u8]) -> Vec<u8> {
        let part = |range| value.get(range).unwrap_or_default();
        let mut text = Vec::with_capacity(value.len());
        let mut from = 0;
        let mut end = None;
        let mut looks = LOOKS * value.len().max(SHORT);
        while let Some((found, whole)) = self.find(value, from, &mut looks) {
            text.extend_from_slice(part(from..whole.start));
            if whole.is_empty() && end == Some(whole.start) {
                // Nothing, right behind a match, is no match.
                let Some(byte) = value.get(whole.start) else { break };
                text.push(*byte);
                from = whole.start + 1;
                continue;
            }
            expand(rewrite, |group| part(found.group(group).unwrap_or_default()), &mut text);
            from = whole.end;
            end = Some(whole.end);
        }
        text.extend_from_slice(part(from..value.len()));
        text
    }

    fn find(&self, value: &[u8], from: usize, looks: &mut usize) -> Option<(Found, std::ops::Range<usize>)> {
        let found = self.0.program.find(value, from, self.0.groups, looks)?;
        let whole = found.group(0)?;
        Some((found, whole))
    }
}

impl PartialEq for Regex {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

fn expand<'v>(rewrite: &[u8], group: impl Fn(usize) -> &'v [u8], text: &mut Vec<u8>) {
    let mut bytes = rewrite.iter();
    while let Some(byte) = bytes.next() {
        match (byte, if *byte == b'\\' { bytes.next() } else { None }) {
            (b'\\', Some(digit @ b'0'..=b'9')) => text.extend_from_slice(group(usize::from(digit - b'0'))),
            (b'\\', Some(other)) => text.push(*other),
            _ => text.push(*byte),
        }
    }
}

#[cfg(test)]
mod tests;
