//! What a document says, and where.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::Number;

use super::Position;

/// A value of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Where it begins.
    pub at: Position,
}

/// JSON's kinds of value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`, or nothing at all.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number that JSON can hold.
    Number(Number),
    /// Text.
    String(String),
    /// A list.
    List(Vec<Node>),
    /// An object, as written: no name comes twice.
    Map(Vec<Member>),
}

/// A member of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Where the name begins.
    pub at: Position,
    /// Its value.
    pub value: Node,
}

impl Node {
    /// The member of that name, of an object that has it.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.member(name).map(|member| &member.value)
    }

    /// The text of the member of that name; empty where there is none.
    pub fn text(&self, name: &str) -> &str {
        match self.get(name).map(|node| &node.value) {
            Some(Value::String(text)) => text,
            _ => "",
        }
    }

    /// The value of the member of that name, which is null from then on.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        match &mut self.value {
            Value::Map(members) => members
                .iter_mut()
                .find(|member| member.name == name)
                .map(|member| std::mem::replace(&mut member.value.value, Value::Null)),
            _ => None,
        }
    }

    fn member(&self, name: &str) -> Option<&Member> {
        match &self.value {
            Value::Map(members) => members.iter().find(|member| member.name == name),
            _ => None,
        }
    }

    /// Where the place stands that a finding names, or the innermost place around it that is written: a field's name, a list's entry.
    ///
    /// The path is a [`crate::finding::Finding`]'s: below `spec` where the object has one, or whole.
    pub fn position(&self, path: &str) -> Position {
        let (whole, unwritten) = self.walk(self.at, path);
        let of_object = ["", "apiVersion", "kind", "metadata"].contains(&path.split('.').next().unwrap_or_default());
        match self.member("spec") {
            Some(spec) if !of_object && unwritten.len() == path.len() => spec.value.walk(spec.at, path).0,
            _ => whole,
        }
    }

    /// The position of `path`, as far as it is written, and what of the path is left.
    fn walk<'p>(&self, at: Position, path: &'p str) -> (Position, &'p str) {
        let path = path.strip_prefix('.').unwrap_or(path);
        let next = match &self.value {
            Value::Map(members) => longest(members, path).map(|(member, rest)| (&member.value, member.at, rest)),
            Value::List(entries) => {
                index(path).and_then(|(index, rest)| entries.get(index).map(|entry| (entry, entry.at, rest)))
            }
            _ => None,
        };
        match next {
            Some((node, at, rest)) if !rest.is_empty() => node.walk(at, rest),
            Some((_, at, rest)) => (at, rest),
            None => (at, path),
        }
    }
}

/// The member whose name begins the path, and what is left of the path. A name may have dots of its own: the longest wins.
fn longest<'n, 'p>(members: &'n [Member], path: &'p str) -> Option<(&'n Member, &'p str)> {
    let fits = |member: &'n Member| {
        let rest = path.strip_prefix(member.name.as_str()).or_else(|| {
            let camel = camel_case(&member.name)?;
            path.strip_prefix(camel.as_str())
        })?;
        (rest.is_empty() || rest.starts_with(['.', '['])).then_some((member, rest))
    };
    members.iter().filter_map(fits).min_by_key(|(_, rest)| rest.len())
}

/// `mirror_percent` as `mirrorPercent`; none for a name that has no underscore.
fn camel_case(name: &str) -> Option<String> {
    let (head, tail) = name.split_once('_')?;
    let mut camel = head.to_owned();
    for word in tail.split('_') {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    Some(camel)
}

/// `[3].route` as 3 and `.route`.
fn index(path: &str) -> Option<(usize, &str)> {
    let (index, rest) = path.strip_prefix('[')?.split_once(']')?;
    Some((index.parse().ok()?, rest))
}

/// As JSON, the members in the order written.
impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.value {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Number(number) => number.serialize(serializer),
            Value::String(text) => serializer.serialize_str(text),
            Value::List(entries) => {
                let mut list = serializer.serialize_seq(Some(entries.len()))?;
                entries.iter().try_for_each(|entry| list.serialize_element(entry))?;
                list.end()
            }
            Value::Map(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                members
                    .iter()
                    .try_for_each(|member| map.serialize_entry(&member.name, &member.value))?;
                map.end()
            }
        }
    }
}
