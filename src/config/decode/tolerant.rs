//! The deserializer that stands between serde_json and derived code.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, IntoDeserializer, MapAccess, SeqAccess, Visitor};

use super::nearest::nearest;
use super::{Fault, FaultKind, Trail, Unknown};

/// What is known about the value that is read next.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) trail: &'a Trail<'a>,
    /// The fields of the struct this value belongs to.
    pub(super) known: &'static [&'static str],
    pub(super) unknown: Unknown,
    pub(super) faults: &'a RefCell<Vec<Fault>>,
}

impl<'a> Place<'a> {
    fn fault(&self, kind: FaultKind) {
        self.faults.borrow_mut().push(Fault {
            path: self.trail.to_string(),
            kind,
        });
    }

    fn below<'b>(&self, trail: &'b Trail<'b>, known: &'static [&'static str]) -> Place<'b>
    where
        'a: 'b,
    {
        Place {
            trail,
            known,
            unknown: self.unknown,
            faults: self.faults,
        }
    }
}

pub(super) struct Tolerant<'a, D> {
    pub(super) inner: D,
    pub(super) place: Place<'a>,
}

/// What the type asks for.
#[derive(Clone, Copy)]
enum Expected {
    Anything,
    Text,
    Boolean,
    Whole,
    Number,
    List,
    Map,
    Struct(&'static [&'static str]),
}

impl Expected {
    fn name(self) -> &'static str {
        match self {
            Expected::Anything => "a value",
            Expected::Text => "a string",
            Expected::Boolean => "true or false",
            Expected::Whole => "a whole number",
            Expected::Number => "a number",
            Expected::List => "a list",
            Expected::Map | Expected::Struct(_) => "an object",
        }
    }
}

impl<'a, D> Tolerant<'a, D> {
    fn fitting<'de, V: Visitor<'de>>(self, expected: Expected, visitor: V) -> Result<V::Value, D::Error>
    where
        D: Deserializer<'de>,
    {
        self.inner.deserialize_any(Fitting {
            visitor,
            expected,
            place: self.place,
        })
    }
}

macro_rules! ask {
    ($($method:ident => $expected:ident),* $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.fitting(Expected::$expected, visitor)
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Tolerant<'_, D> {
    type Error = D::Error;

    ask! {
        deserialize_any => Anything, deserialize_bool => Boolean,
        deserialize_i8 => Whole, deserialize_i16 => Whole, deserialize_i32 => Whole, deserialize_i64 => Whole,
        deserialize_u8 => Whole, deserialize_u16 => Whole, deserialize_u32 => Whole, deserialize_u64 => Whole,
        deserialize_f32 => Number, deserialize_f64 => Number,
        deserialize_char => Text, deserialize_str => Text, deserialize_string => Text, deserialize_identifier => Text,
        deserialize_bytes => Text, deserialize_byte_buf => Text,
        deserialize_unit => Anything, deserialize_seq => List, deserialize_map => Map,
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.fitting(Expected::Struct(fields), visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_option(Optional {
            visitor,
            place: self.place,
        })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        visitor.visit_newtype_struct(self)
    }

    /// Derived code asks for this only where it does not know the field.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        if let (Unknown::Refuse, Trail::Field(_, name)) = (self.place.unknown, self.place.trail) {
            self.place.fault(FaultKind::UnknownField {
                nearest: nearest(name, self.place.known),
            });
        }
        self.inner.deserialize_ignored_any(visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        self.fitting(Expected::Anything, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, D::Error> {
        self.fitting(Expected::List, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.fitting(Expected::List, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_enum(name, variants, visitor)
    }
}

struct Optional<'a, V> {
    visitor: V,
    place: Place<'a>,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Optional<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_some(Tolerant {
            inner,
            place: self.place,
        })
    }
}

/// Hands on a value that fits; of one that does not, the empty value of what was expected.
struct Fitting<'a, V> {
    visitor: V,
    expected: Expected,
    place: Place<'a>,
}

impl<'de, V: Visitor<'de>> Fitting<'_, V> {
    fn mismatch<E: Error>(self, found: &'static str) -> Result<V::Value, E> {
        self.place.fault(FaultKind::Mismatch {
            expected: self.expected.name(),
            found,
        });
        self.empty()
    }

    fn empty<E: Error>(self) -> Result<V::Value, E> {
        match self.expected {
            Expected::Anything => self.visitor.visit_unit(),
            Expected::Text => self.visitor.visit_str(""),
            Expected::Boolean => self.visitor.visit_bool(false),
            Expected::Whole => self.visitor.visit_i64(0),
            Expected::Number => self.visitor.visit_f64(0.0),
            Expected::List => self.visitor.visit_seq(Nothing(PhantomData)),
            Expected::Map | Expected::Struct(_) => self.visitor.visit_map(Nothing(PhantomData)),
        }
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Fitting<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected.name())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<V::Value, E> {
        match self.expected {
            Expected::Boolean | Expected::Anything => self.visitor.visit_bool(value),
            _ => self.mismatch("true or false"),
        }
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<V::Value, E> {
        match self.expected {
            Expected::Whole | Expected::Anything => self.visitor.visit_i64(value),
            Expected::Number => self.visitor.visit_f64(value as f64),
            _ => self.mismatch("a number"),
        }
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<V::Value, E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            Err(_) => self.visit_f64(value as f64),
        }
    }

    /// A protobuf Struct, in which Istio hands over a plugin's configuration, has no other numbers than these.
    fn visit_f64<E: Error>(self, value: f64) -> Result<V::Value, E> {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        match self.expected {
            Expected::Number | Expected::Anything => self.visitor.visit_f64(value),
            Expected::Whole if value.fract() == 0.0 && value.abs() <= EXACT => self.visitor.visit_i64(value as i64),
            Expected::Whole => self.mismatch("a fraction"),
            _ => self.mismatch("a number"),
        }
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<V::Value, E> {
        match self.expected {
            Expected::Text | Expected::Anything => self.visitor.visit_str(value),
            _ => self.mismatch("a string"),
        }
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<V::Value, E> {
        match self.expected {
            Expected::Text | Expected::Anything => self.visitor.visit_borrowed_str(value),
            _ => self.mismatch("a string"),
        }
    }

    fn visit_string<E: Error>(self, value: String) -> Result<V::Value, E> {
        match self.expected {
            Expected::Text | Expected::Anything => self.visitor.visit_string(value),
            _ => self.mismatch("a string"),
        }
    }

    /// Null is an unset field; only as an entry of a list or a map does it say something.
    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        if self.place.trail.is_entry() {
            self.place.fault(FaultKind::Null);
        }
        self.empty()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut inner: A) -> Result<V::Value, A::Error> {
        match self.expected {
            Expected::List | Expected::Anything => self.visitor.visit_seq(Entries {
                inner,
                index: 0,
                place: self.place,
            }),
            _ => {
                while inner.next_element::<IgnoredAny>()?.is_some() {}
                self.mismatch("a list")
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut inner: A) -> Result<V::Value, A::Error> {
        let fields = match self.expected {
            // serde_json's own values read themselves.
            Expected::Anything => return self.visitor.visit_map(inner),
            Expected::Map => None,
            Expected::Struct(fields) => Some(fields),
            _ => {
                while inner.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                return self.mismatch("an object");
            }
        };
        self.visitor.visit_map(Members {
            inner,
            fields,
            seen: Vec::new(),
            key: String::new(),
            place: self.place,
        })
    }
}

struct Entries<'a, A> {
    inner: A,
    index: usize,
    place: Place<'a>,
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Entries<'_, A> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, A::Error> {
        let trail = Trail::Index(self.place.trail, self.index);
        self.index += 1;
        self.inner.next_element_seed(Seed {
            seed,
            place: self.place.below(&trail, &[]),
        })
    }
}

struct Members<'a, A> {
    inner: A,
    /// The struct's field names; none for a map, whose keys are data.
    fields: Option<&'static [&'static str]>,
    seen: Vec<&'static str>,
    key: String,
    place: Place<'a>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Members<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        loop {
            let Some(key) = self.inner.next_key::<String>()? else {
                return Ok(None);
            };
            self.key = key;
            let Some(field) = self.fields.and_then(|fields| field(&self.key, fields)) else {
                return seed.deserialize(self.key.as_str().into_deserializer()).map(Some);
            };
            if !self.seen.contains(&field) {
                self.seen.push(field);
                return seed.deserialize(field.into_deserializer()).map(Some);
            }
            self.inner.next_value::<IgnoredAny>()?;
            let trail = Trail::Field(self.place.trail, &self.key);
            self.place.below(&trail, &[]).fault(FaultKind::DuplicateField);
        }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        let trail = match self.fields {
            Some(_) => Trail::Field(self.place.trail, &self.key),
            None => Trail::Key(self.place.trail, &self.key),
        };
        self.inner.next_value_seed(Seed {
            seed,
            place: self.place.below(&trail, self.fields.unwrap_or_default()),
        })
    }
}

struct Seed<'a, T> {
    seed: T,
    place: Place<'a>,
}

impl<'de, T: DeserializeSeed<'de>> DeserializeSeed<'de> for Seed<'_, T> {
    type Value = T::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<T::Value, D::Error> {
        self.seed.deserialize(Tolerant {
            inner,
            place: self.place,
        })
    }
}

/// A list or an object with nothing in it.
struct Nothing<E>(PhantomData<E>);

impl<'de, E: Error> SeqAccess<'de> for Nothing<E> {
    type Error = E;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, _seed: T) -> Result<Option<T::Value>, E> {
        Ok(None)
    }
}

impl<'de, E: Error> MapAccess<'de> for Nothing<E> {
    type Error = E;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, _seed: K) -> Result<Option<K::Value>, E> {
        Ok(None)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, E> {
        seed.deserialize(().into_deserializer())
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
