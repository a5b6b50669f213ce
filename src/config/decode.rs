//! Reading JSON into types without stopping at the first fault.
//!
//! Whoever wrote five things wrong wants to hear of five. So a value that does not fit becomes a [`Fault`] and its type's empty value, an
//! unknown field becomes a [`Fault`], and reading goes on. Field names may be spelled as protobuf JSON spells them or as protobuf itself does:
//! `mirrorPercentage` and `mirror_percentage` are one field.
//!
//! Messages list their fields ([`fields`]) and all are read by one function: code derived for each of some hundred types would be a third
//! of the filter.

use std::cell::RefCell;
use std::fmt;

pub use json::{Json, Member};
use message::Trail;
pub(crate) use message::fields;
#[cfg(feature = "cli")]
pub(super) use message::json_spelling;
pub use message::{At, Field};
pub use nearest::nearest;
pub(crate) use skim::length;
pub use value::Unread;

mod json;
mod message;
mod nearest;
mod skim;
mod value;

/// What can be read out of JSON. It is made empty, and stays so where nothing fits.
pub trait Decode {
    /// Takes over the value at a place.
    fn decode(&mut self, at: At);
}

/// One place in the text that does not fit its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where, as `http[1].route[0].weight`, below the value that was read.
    pub path: String,
    /// What does not fit there.
    pub kind: FaultKind,
}

impl Fault {
    /// As seen from the object that has the value as its field `name`.
    pub fn below(mut self, name: &str) -> Fault {
        let dot = if self.path.is_empty() || self.path.starts_with('[') {
            ""
        } else {
            "."
        };
        self.path = format!("{name}{dot}{}", self.path);
        self
    }
}

/// What is wrong at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// The type has no such field; the nearest name it has, where one is near.
    UnknownField { nearest: Option<String> },
    /// The same field a second time, in either spelling.
    DuplicateField,
    /// Another type than the field's, both in words.
    Mismatch {
        expected: &'static str,
        found: &'static str,
    },
    /// A null entry of a list or a map; it is read as an empty one.
    Null,
    /// Text that is no value, and why.
    NotJson(String),
}

impl From<serde_json::Error> for FaultKind {
    /// Without line and column: they count from where the value begins.
    fn from(error: serde_json::Error) -> Self {
        let error = error.to_string();
        let why = error.split_once(" at line ").map(|(why, _)| why.to_owned());
        FaultKind::NotJson(why.unwrap_or(error))
    }
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
            FaultKind::NotJson(error) => write!(f, "is not JSON: {error}"),
            FaultKind::Null => f.write_str("the entry is null; remove it, or write {} for an empty one"),
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

/// Reads `json` into `value`, and returns everything that does not fit.
pub fn decode(value: &mut dyn Decode, json: &Json, unknown: Unknown) -> Vec<Fault> {
    let faults = RefCell::default();
    let at = At {
        json,
        trail: &Trail::Root,
        unknown,
        faults: &faults,
    };
    at.decode(value);
    faults.into_inner()
}

/// An object's members that are not among `known`, or are there twice.
pub fn strays(object: &Json, known: &[&str]) -> Vec<Fault> {
    let members = object.members();
    let stray = |(index, (name, _)): (usize, &Member)| {
        let kind = if !known.contains(&&**name) {
            let nearest = nearest(name, known).map(str::to_owned);
            FaultKind::UnknownField { nearest }
        } else if members.iter().take(index).any(|(earlier, _)| earlier == name) {
            FaultKind::DuplicateField
        } else {
            return None;
        };
        let path = name.as_ref().to_owned();
        Some(Fault { path, kind })
    };
    members.iter().enumerate().filter_map(stray).collect()
}

#[cfg(test)]
mod tests;
