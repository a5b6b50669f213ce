//! The deserializer between a JSON value and derived code.

use std::cell::RefCell;

use serde::de::value::Error;
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};

use super::json::Json;
use super::nearest::nearest;
use super::{Fault, FaultKind, Trail, Unknown};

/// A value, and where it stands. A value that does not fit is read as the empty one of what was asked for.
#[derive(Clone, Copy)]
pub(super) struct Tolerant<'a, 'de> {
    pub json: &'a Json<'de>,
    pub trail: &'a Trail<'a>,
    /// The fields of the struct it belongs to.
    pub known: &'static [&'static str],
    pub unknown: Unknown,
    pub faults: &'a RefCell<Vec<Fault>>,
}

impl<'a, 'de> Tolerant<'a, 'de> {
    fn fault(&self, kind: FaultKind) {
        self.faults.borrow_mut().push(Fault {
            path: self.trail.to_string(),
            kind,
        });
    }

    /// Null is an unset field; only as an entry of a list or a map does it say something.
    fn mismatch(&self, expected: &'static str) {
        match self.json {
            Json::Null if self.trail.is_entry() => self.fault(FaultKind::Null),
            Json::Null => {}
            Json::Number(_) if expected == WHOLE => self.fault(FaultKind::Mismatch {
                expected,
                found: "a fraction",
            }),
            other => self.fault(FaultKind::Mismatch {
                expected,
                found: other.name(),
            }),
        }
    }

    fn members(&self, fields: Option<&'static [&'static str]>) -> Members<'a, 'de> {
        let members: &[_] = match self.json {
            Json::Object(members) => members,
            _ => {
                self.mismatch("an object");
                &[]
            }
        };
        Members {
            rest: members.iter(),
            value: None,
            fields,
            seen: Vec::new(),
            at: *self,
        }
    }

    fn entries(&self) -> Entries<'a, 'de> {
        let entries: &[_] = match self.json {
            Json::List(entries) => entries,
            _ => {
                self.mismatch("a list");
                &[]
            }
        };
        Entries {
            rest: entries.iter().enumerate(),
            at: *self,
        }
    }

    /// A protobuf Struct, in which Istio hands over a plugin's configuration, has no other numbers than doubles.
    fn whole(&self) -> i64 {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        match self.json {
            Json::Whole(value) => *value,
            Json::Number(value) if value.fract() == 0.0 && value.abs() <= EXACT => *value as i64,
            _ => {
                self.mismatch(WHOLE);
                0
            }
        }
    }

    fn number(&self) -> f64 {
        match self.json {
            Json::Whole(value) => *value as f64,
            Json::Number(value) => *value,
            _ => {
                self.mismatch("a number");
                0.0
            }
        }
    }

    fn text(&self) -> &'a str {
        match self.json {
            Json::Text(text) => text,
            _ => {
                self.mismatch("a string");
                ""
            }
        }
    }

    fn boolean(&self) -> bool {
        match self.json {
            Json::Bool(value) => *value,
            _ => {
                self.mismatch("true or false");
                false
            }
        }
    }
}

const WHOLE: &str = "a whole number";

macro_rules! ask {
    ($($method:ident => $visit:ident $read:ident),* $(,)?) => {$(
        fn $method<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.$visit(self.$read())
        }
    )*};
}

impl<'v> Deserializer<'v> for Tolerant<'_, '_> {
    type Error = Error;

    ask! {
        deserialize_bool => visit_bool boolean,
        deserialize_i8 => visit_i64 whole, deserialize_i16 => visit_i64 whole,
        deserialize_i32 => visit_i64 whole, deserialize_i64 => visit_i64 whole,
        deserialize_u8 => visit_i64 whole, deserialize_u16 => visit_i64 whole,
        deserialize_u32 => visit_i64 whole, deserialize_u64 => visit_i64 whole,
        deserialize_f32 => visit_f64 number, deserialize_f64 => visit_f64 number,
        deserialize_char => visit_str text, deserialize_str => visit_str text, deserialize_string => visit_str text,
        deserialize_identifier => visit_str text, deserialize_bytes => visit_str text, deserialize_byte_buf => visit_str text,
        deserialize_seq => visit_seq entries,
    }

    /// Only serde_json's own values ask for anything.
    fn deserialize_any<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.json {
            Json::Null => visitor.visit_unit(),
            Json::Bool(value) => visitor.visit_bool(*value),
            Json::Whole(value) => visitor.visit_i64(*value),
            Json::Number(value) => visitor.visit_f64(*value),
            Json::Text(text) => visitor.visit_str(text),
            Json::List(_) => visitor.visit_seq(self.entries()),
            Json::Object(_) => visitor.visit_map(self.members(None)),
        }
    }

    fn deserialize_option<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.json {
            Json::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_map<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(self.members(None))
    }

    fn deserialize_struct<V: Visitor<'v>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_map(self.members(Some(fields)))
    }

    fn deserialize_newtype_struct<V: Visitor<'v>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    /// Derived code asks for this only where it does not know the field.
    fn deserialize_ignored_any<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Error> {
        if let (Unknown::Refuse, Trail::Field(_, name)) = (self.unknown, self.trail) {
            self.fault(FaultKind::UnknownField {
                nearest: nearest(name, self.known),
            });
        }
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! { <V: Visitor<'v>> i128 u128 unit unit_struct tuple tuple_struct enum }
}

struct Entries<'a, 'de> {
    rest: std::iter::Enumerate<std::slice::Iter<'a, Json<'de>>>,
    at: Tolerant<'a, 'de>,
}

impl<'v> SeqAccess<'v> for Entries<'_, '_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'v>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some((index, json)) = self.rest.next() else {
            return Ok(None);
        };
        let trail = &Trail::Index(self.at.trail, index);
        seed.deserialize(Tolerant {
            json,
            trail,
            known: &[],
            ..self.at
        })
        .map(Some)
    }
}

struct Members<'a, 'de> {
    rest: std::slice::Iter<'a, (std::borrow::Cow<'de, str>, Json<'de>)>,
    value: Option<(&'a str, &'a Json<'de>)>,
    /// The struct's field names; none for a map, whose keys are data.
    fields: Option<&'static [&'static str]>,
    seen: Vec<&'static str>,
    at: Tolerant<'a, 'de>,
}

impl<'v> MapAccess<'v> for Members<'_, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'v>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        loop {
            let Some((key, value)) = self.rest.next() else {
                return Ok(None);
            };
            self.value = Some((key, value));
            let Some(field) = self.fields.and_then(|fields| field(key, fields)) else {
                return seed.deserialize((&**key).into_deserializer()).map(Some);
            };
            if !self.seen.contains(&field) {
                self.seen.push(field);
                return seed.deserialize(field.into_deserializer()).map(Some);
            }
            let trail = &Trail::Field(self.at.trail, key);
            Tolerant { trail, ..self.at }.fault(FaultKind::DuplicateField);
        }
    }

    fn next_value_seed<T: DeserializeSeed<'v>>(&mut self, seed: T) -> Result<T::Value, Error> {
        let (key, json) = self.value.take().unwrap_or(("", &Json::Null));
        let trail = &match self.fields {
            Some(_) => Trail::Field(self.at.trail, key),
            None => Trail::Key(self.at.trail, key),
        };
        seed.deserialize(Tolerant {
            json,
            trail,
            known: self.fields.unwrap_or_default(),
            ..self.at
        })
    }
}

/// The field that `key` names, in protobuf's own spelling or in JSON's.
fn field(key: &str, fields: &'static [&'static str]) -> Option<&'static str> {
    let is = |name: &str| {
        let mut written = name.chars().flat_map(|c| {
            let underscore = c.is_ascii_uppercase().then_some('_');
            underscore.into_iter().chain([c.to_ascii_lowercase()])
        });
        key == name || key.chars().all(|c| written.next() == Some(c)) && written.next().is_none()
    };
    fields.iter().copied().find(|name| is(name))
}
