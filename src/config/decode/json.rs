//! A JSON value as it stands in the text, read as far down as it is asked for.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A value. Text without escapes is the text's own; members stay in order, and twice if they are there twice.
#[derive(Debug, Clone, PartialEq)]
pub enum Json<'de> {
    Null,
    Bool(bool),
    Whole(i64),
    Number(f64),
    Text(Cow<'de, str>),
    List(Vec<Json<'de>>),
    Object(Vec<Member<'de>>),
    /// Any value that nobody has looked into yet, as text.
    Raw(&'de str),
}

/// A member of an object.
pub type Member<'de> = (Cow<'de, str>, Json<'de>);

impl<'de> Json<'de> {
    /// Reads a text.
    pub fn read(text: &'de [u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(text)
    }

    /// What it is, in words.
    pub fn name(&self) -> &'static str {
        match self {
            Json::Null => "null",
            Json::Bool(_) => "true or false",
            Json::Whole(_) => "a number",
            Json::Number(_) => "a number",
            Json::Text(_) => "a string",
            Json::List(_) => "a list",
            Json::Object(_) => "an object",
            Json::Raw(_) => "raw",
        }
    }

    /// An object's members; anything else has none.
    pub fn members(&self) -> &[Member<'de>] {
        match self {
            Json::Object(members) => members,
            _ => &[],
        }
    }

    /// An object's first member of a name.
    pub fn get(&self, name: &str) -> Option<&Json<'de>> {
        self.members()
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }

    /// An object's first member of a name, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Json<'de>> {
        match self {
            Json::Object(members) => members.iter_mut().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// A list's entries.
    pub fn entries(&self) -> Option<&[Json<'de>]> {
        match self {
            Json::List(entries) => Some(entries),
            _ => None,
        }
    }

    /// A string.
    pub fn text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }
}

#[cfg(feature = "cli")]
impl From<&Json<'_>> for serde_json::Value {
    fn from(json: &Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => (*value).into(),
            Json::Whole(value) => (*value).into(),
            Json::Number(value) => (*value).into(),
            Json::Text(text) => text.as_ref().into(),
            Json::List(entries) => entries.iter().map(Self::from).collect(),
            Json::Object(members) => members
                .iter()
                .map(|(name, value)| (name.as_ref().to_owned(), Self::from(value)))
                .collect(),
            Json::Raw(text) => serde_json::from_str(text).unwrap_or_default(),
        }
    }
}

impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Whole)
    }
}

struct Whole;

impl<'de> Visitor<'de> for Whole {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Whole(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(i64::try_from(value).map_or(Json::Number(value as f64), Json::Whole))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Json<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(entry) = entries.next_element()? {
            list.push(entry);
        }
        list.shrink_to_fit();
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json<'de>, A::Error> {
        let mut object = Vec::new();
        while let Some(Key(key)) = members.next_key()? {
            object.push((key, members.next_value()?));
        }
        object.shrink_to_fit();
        Ok(Json::Object(object))
    }
}

/// A member's name, borrowed where it can be.
struct Key<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Json::deserialize(deserializer)? {
            Json::Text(text) => Ok(Key(text)),
            other => Err(D::Error::custom(format!("a member's name is {}", other.name()))),
        }
    }
}
