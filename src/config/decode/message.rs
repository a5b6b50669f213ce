//! Where reading stands, and how a message's fields are read.

use std::cell::RefCell;
use std::fmt;

use super::{Decode, Fault, FaultKind, Json, Unknown, nearest};

/// A value, where it stands, and where to say what is wrong with it.
#[derive(Clone, Copy)]
pub struct At<'a> {
    pub(super) json: &'a Json<'a>,
    pub(super) trail: &'a Trail<'a>,
    pub(super) unknown: Unknown,
    pub(super) faults: &'a RefCell<Vec<Fault>>,
}

impl At<'_> {
    /// Reads the value, whatever its type is.
    pub(super) fn decode(self, value: &mut dyn Decode) {
        let Json::Raw(text) = self.json else {
            return value.decode(self);
        };
        match Json::read(text.as_bytes()) {
            Ok(json) => value.decode(At { json: &json, ..self }),
            Err(error) => self.fault(error.into()),
        }
    }

    /// Says what is wrong here.
    pub(super) fn fault(&self, kind: FaultKind) {
        let path = self.trail.to_string();
        self.faults.borrow_mut().push(Fault { path, kind });
    }

    /// Says that another type was expected. Null is an unset field; only as an entry of a list or a map does it say something.
    pub(super) fn mismatch(&self, expected: &'static str) {
        let found = self.json.name();
        match self.json {
            Json::Null if self.trail.is_entry() => self.fault(FaultKind::Null),
            Json::Null => {}
            _ => self.fault(FaultKind::Mismatch { expected, found }),
        }
    }

    /// Reads a message's fields.
    pub fn read(&self, fields: &mut [Field]) {
        let Json::Object(members) = self.json else {
            return self.mismatch("an object");
        };
        for (key, json) in members {
            let at = At {
                json,
                trail: &Trail::Field(self.trail, key),
                ..*self
            };
            match fields.iter_mut().find(|field| field.is_called(key)) {
                Some(field) => match field.value.take() {
                    Some(value) => at.decode(value),
                    None => at.fault(FaultKind::DuplicateField),
                },
                None if self.unknown == Unknown::Refuse => {
                    let names: Vec<String> = fields.iter().map(Field::json_name).collect();
                    let names: Vec<&str> = names.iter().map(String::as_str).collect();
                    let nearest = nearest(key, &names).map(str::to_owned);
                    at.fault(FaultKind::UnknownField { nearest });
                }
                None => {}
            }
        }
    }
}

/// A field of a message, and where its value goes; none once it has been read.
pub struct Field<'a> {
    /// In protobuf's own spelling, or in JSON's where that does not follow from it.
    name: &'static str,
    value: Option<&'a mut dyn Decode>,
}

impl<'a> Field<'a> {
    /// The field `name`, which may be a raw identifier.
    pub fn new(name: &'static str, value: &'a mut dyn Decode) -> Self {
        Field {
            name: name.strip_prefix("r#").unwrap_or(name),
            value: Some(value),
        }
    }

    /// Whether `key` is its name in either spelling.
    fn is_called(&self, key: &str) -> bool {
        key == self.name || key.len() <= self.name.len() && key.chars().eq(json_spelling(self.name))
    }

    fn json_name(&self) -> String {
        json_spelling(self.name).collect()
    }
}

/// `mirrorPercentage` for `mirror_percentage`.
pub fn json_spelling(name: &str) -> impl Iterator<Item = char> {
    let mut after_underscore = false;
    name.chars().filter_map(move |c| {
        let raised = std::mem::replace(&mut after_underscore, c == '_');
        (c != '_').then(|| if raised { c.to_ascii_uppercase() } else { c })
    })
}

/// Says which fields a message has, each by its own name or by another.
macro_rules! fields {
    ($message:ident: $($field:ident $(= $name:literal)?),* $(,)?) => {
        impl $crate::config::decode::Decode for $message {
            fn decode(&mut self, at: $crate::config::decode::At) {
                at.read(&mut [$($crate::config::decode::Field::new(
                    $crate::config::decode::fields!(@name $field $($name)?),
                    &mut self.$field,
                )),*]);
            }
        }
    };
    (@name $field:ident $name:literal) => { $name };
    (@name $field:ident) => { stringify!($field) };
}
pub(crate) use fields;

/// The way from the value that is read: a list on the stack, written out only for a fault.
pub enum Trail<'a> {
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
