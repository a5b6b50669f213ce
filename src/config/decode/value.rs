//! Reading what is no message: text, numbers, lists and maps.

use std::collections::BTreeMap;

use super::{At, Decode, FaultKind, Json, Trail};

impl Decode for String {
    fn decode(&mut self, at: At) {
        match at.json {
            Json::Text(text) => text.as_ref().clone_into(self),
            _ => at.mismatch("a string"),
        }
    }
}

impl Decode for bool {
    fn decode(&mut self, at: At) {
        match at.json {
            Json::Bool(value) => *self = *value,
            _ => at.mismatch("true or false"),
        }
    }
}

/// A protobuf Struct, in which Istio hands over a plugin's configuration, has no other numbers than doubles.
impl Decode for i64 {
    fn decode(&mut self, at: At) {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        let expected = "a whole number";
        match at.json {
            Json::Whole(value) => *self = *value,
            Json::Number(value) if value.fract() == 0.0 && value.abs() <= EXACT => *self = *value as i64,
            Json::Number(_) => at.fault(FaultKind::Mismatch {
                expected,
                found: "a fraction",
            }),
            _ => at.mismatch(expected),
        }
    }
}

impl Decode for u32 {
    fn decode(&mut self, at: At) {
        let mut whole = i64::from(*self);
        whole.decode(at);
        match u32::try_from(whole) {
            Ok(whole) => *self = whole,
            Err(_) => at.mismatch("a whole number from 0 to 4294967295"),
        }
    }
}

impl Decode for f64 {
    fn decode(&mut self, at: At) {
        match at.json {
            Json::Whole(value) => *self = *value as f64,
            Json::Number(value) => *self = *value,
            _ => at.mismatch("a number"),
        }
    }
}

impl<T: Decode + Default> Decode for Option<T> {
    fn decode(&mut self, at: At) {
        if *at.json != Json::Null {
            self.insert(T::default()).decode(at);
        }
    }
}

/// A large message that few have.
impl<T: Decode> Decode for Box<T> {
    fn decode(&mut self, at: At) {
        self.as_mut().decode(at);
    }
}

impl<T: Decode + Default> Decode for Vec<T> {
    fn decode(&mut self, at: At) {
        let Json::List(entries) = at.json else {
            return at.mismatch("a list");
        };
        self.clear();
        self.reserve_exact(entries.len());
        for (index, json) in entries.iter().enumerate() {
            let mut entry = T::default();
            let trail = &Trail::Index(at.trail, index);
            At { json, trail, ..at }.decode(&mut entry);
            self.push(entry);
        }
    }
}

impl<T: Decode + Default> Decode for BTreeMap<String, T> {
    fn decode(&mut self, at: At) {
        let Json::Object(members) = at.json else {
            return at.mismatch("an object");
        };
        self.clear();
        for (key, json) in members {
            let mut entry = T::default();
            let trail = &Trail::Key(at.trail, key);
            At { json, trail, ..at }.decode(&mut entry);
            self.insert(key.as_ref().to_owned(), entry);
        }
    }
}

/// An object that is passed on as it is.
#[cfg(feature = "cli")]
impl Decode for serde_json::Map<String, serde_json::Value> {
    fn decode(&mut self, at: At) {
        let members = at.json.members().iter();
        *self = members
            .map(|(name, json)| (name.as_ref().to_owned(), json.into()))
            .collect();
        if !matches!(at.json, Json::Object(_)) {
            at.mismatch("an object");
        }
    }
}

/// A value that nobody looks into: any fits.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Unread;

impl Decode for Unread {
    fn decode(&mut self, _: At) {}
}
