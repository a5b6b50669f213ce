//! Reading JSON into types without stopping at the first fault.
//!
//! serde's derived code stops at the first value that does not fit. Whoever wrote five things wrong wants to hear of five. So a
//! deserializer of our own stands between the JSON and the derived code: a value that does not fit becomes a [`Fault`] and its type's empty value,
//! an unknown field becomes a [`Fault`], and reading goes on. It also takes the field names protobuf JSON takes: `mirrorPercentage`
//! and `mirror_percentage` are one field.
//!
//! The types read this way keep to what derived code cannot refuse: every field has a default, whole numbers are `i64`.

use std::cell::RefCell;
use std::fmt;

use serde::Deserialize;

use json::Json;
pub use nearest::nearest;
use tolerant::Tolerant;

mod json;
mod nearest;
mod tolerant;

/// One place in the text that does not fit its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where, as `http[1].route[0].weight`, below the value that was read.
    pub path: String,
    /// What does not fit there.
    pub kind: FaultKind,
}

impl Fault {
    /// The path as seen from the object that has the value as its field `name`.
    pub fn below(&self, name: &str) -> String {
        match self.path.chars().next() {
            None => name.to_owned(),
            Some('[') => format!("{name}{}", self.path),
            Some(_) => format!("{name}.{}", self.path),
        }
    }
}

/// What is wrong at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// The type has no such field; the nearest name it has, where one is near.
    UnknownField { nearest: Option<&'static str> },
    /// The same field a second time, in either spelling.
    DuplicateField,
    /// Another type than the field's, both in words.
    Mismatch {
        expected: &'static str,
        found: &'static str,
    },
    /// A null entry of a list or a map; it is read as an empty one.
    Null,
    /// Not JSON at all, in serde_json's words; nothing below was read.
    Syntax(String),
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FaultKind::UnknownField { nearest: Some(name) } => {
                write!(f, "there is no such field; did you mean `{name}`?")
            }
            FaultKind::UnknownField { nearest: None } => f.write_str("there is no such field; remove it"),
            FaultKind::DuplicateField => f.write_str("the field is here twice; keep one"),
            FaultKind::Mismatch { expected, found } => write!(f, "has to be {expected}, and is {found}"),
            FaultKind::Null => f.write_str("the entry is null; remove it, or write {} for an empty one"),
            FaultKind::Syntax(error) => write!(f, "is not JSON: {error}"),
        }
    }
}

/// What to do with a field that the type does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// Pass over it: the type holds only what we need of a larger object.
    Ignore,
    /// A fault: the type is whole.
    Refuse,
}

/// Reads `json` as a `T`, adding everything that does not fit to `faults`.
pub fn decode<T: for<'v> Deserialize<'v> + Default>(json: &str, unknown: Unknown, faults: &mut Vec<Fault>) -> T {
    let found = RefCell::new(Vec::new());
    let value = serde_json::from_str::<Json>(json)
        .map_err(|error| error.to_string())
        .and_then(|json| {
            let tolerant = Tolerant {
                json: &json,
                trail: &Trail::Root,
                known: &[],
                unknown,
                faults: &found,
            };
            T::deserialize(tolerant).map_err(|error| error.to_string())
        });
    faults.append(&mut found.into_inner());
    value.unwrap_or_else(|error| {
        faults.push(Fault {
            path: String::new(),
            kind: FaultKind::Syntax(error),
        });
        T::default()
    })
}

/// Where reading stands: a list on the stack, written out only for a fault.
enum Trail<'a> {
    Root,
    Field(&'a Trail<'a>, &'a str),
    Key(&'a Trail<'a>, &'a str),
    Index(&'a Trail<'a>, usize),
}

impl Trail<'_> {
    fn is_entry(&self) -> bool {
        matches!(self, Trail::Key(..) | Trail::Index(..))
    }
}

impl fmt::Display for Trail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trail::Root => Ok(()),
            Trail::Index(parent, index) => write!(f, "{parent}[{index}]"),
            Trail::Field(Trail::Root, name) | Trail::Key(Trail::Root, name) => f.write_str(name),
            Trail::Field(parent, name) | Trail::Key(parent, name) => write!(f, "{parent}.{name}"),
        }
    }
}

#[cfg(test)]
mod tests;
