//! From a parser's events to nodes.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use granit_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};

use super::{Fault, Member, Node, Position, Value, scalar};

/// As many values as aliases may add to a document: kubectl's own bound is of this size.
const MAX_COPIED: usize = 400_000;

/// Reading cannot go on; the fault is among the composer's.
pub(super) struct Stop;

/// Reads one document.
pub(super) struct Composer<'p, 't> {
    parser: &'p mut Parser<'t, StrInput<'t>>,
    /// What an anchor names, and how many values that is.
    anchors: BTreeMap<usize, (Node, usize)>,
    read: usize,
    copied: usize,
    faults: Vec<Fault>,
}

impl<'p, 't> Composer<'p, 't> {
    pub(super) fn new(parser: &'p mut Parser<'t, StrInput<'t>>) -> Self {
        Composer {
            parser,
            anchors: BTreeMap::new(),
            read: 0,
            copied: 0,
            faults: Vec::new(),
        }
    }

    /// In the order of the text.
    pub(super) fn into_faults(mut self) -> Vec<Fault> {
        self.faults.sort_by_key(|fault| fault.at);
        self.faults
    }

    /// The value that comes next, up to its end. What is wrong in it is a fault; only what leaves no way to go on ends reading.
    pub(super) fn node(&mut self) -> Result<Node, Stop> {
        let (event, span) = self.next()?;
        self.node_of(event, span)
    }

    fn node_of(&mut self, event: Event<'t>, span: Span) -> Result<Node, Stop> {
        let at = Position::from(&span.start);
        let before = self.read;
        self.read += 1;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => (self.scalar(text, style, tag.as_deref(), at), anchor),
            Event::SequenceStart(_, anchor, _) => (self.list()?, anchor),
            Event::MappingStart(_, anchor, _) => (self.map()?, anchor),
            Event::Alias(anchor) => return self.alias(anchor, at),
            _ => return Err(self.stop(at, "a value has to be here".to_owned())),
        };
        let node = Node { value, at };
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), self.read - before));
        }
        Ok(node)
    }

    fn next(&mut self) -> Result<(Event<'t>, Span), Stop> {
        match self.parser.next_event() {
            Some(Ok(next)) => Ok(next),
            Some(Err(error)) => {
                self.faults.push(error.into());
                Err(Stop)
            }
            None => Err(self.stop(Position { line: 1, column: 1 }, "the document has no end".to_owned())),
        }
    }

    fn stop(&mut self, at: Position, message: String) -> Stop {
        self.faults.push(Fault { at, message });
        Stop
    }

    fn list(&mut self) -> Result<Value, Stop> {
        let mut entries = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::List(entries)),
                (event, span) => entries.push(self.node_of(event, span)?),
            }
        }
    }

    fn map(&mut self) -> Result<Value, Stop> {
        let mut members = Vec::new();
        let mut merged = Vec::new();
        let mut names = HashSet::new();
        loop {
            let (event, span) = match self.next()? {
                (Event::MappingEnd, _) => break,
                next => next,
            };
            let at = Position::from(&span.start);
            let merge = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<");
            let key = self.node_of(event, span)?;
            let value = self.node()?;
            if merge {
                self.merge(value, at, &mut merged);
                continue;
            }
            match name(key.value) {
                Ok(name) if !names.insert(name.clone()) => self.faults.push(Fault {
                    at,
                    message: format!("`{name}` is here twice; keep one"),
                }),
                Ok(name) => members.push(Member { name, at, value }),
                Err(message) => self.faults.push(Fault {
                    at,
                    message: message.to_owned(),
                }),
            }
        }
        members.extend(
            merged
                .into_iter()
                .filter(|member: &Member| names.insert(member.name.clone())),
        );
        Ok(Value::Map(members))
    }

    /// Collects what `<<` brings in; the first of a list wins.
    fn merge(&mut self, value: Node, at: Position, merged: &mut Vec<Member>) {
        match value.value {
            Value::Map(members) => merged.extend(members),
            Value::List(entries) if entries.iter().all(|entry| matches!(entry.value, Value::Map(_))) => {
                entries.into_iter().for_each(|entry| self.merge(entry, at, merged));
            }
            _ => self.faults.push(Fault {
                at,
                message: "`<<` takes an object, or a list of objects".to_owned(),
            }),
        }
    }

    /// A copy of what the anchor names, its positions those of the original.
    fn alias(&mut self, anchor: usize, at: Position) -> Result<Node, Stop> {
        let Some((node, size)) = self.anchors.get(&anchor) else {
            return Err(self.stop(at, "the alias stands inside the value that it names".to_owned()));
        };
        self.copied += size;
        self.read += size;
        if self.copied > MAX_COPIED {
            return Err(self.stop(
                at,
                format!("aliases add more than {MAX_COPIED} values to this document"),
            ));
        }
        Ok(node.clone())
    }

    fn scalar(&mut self, text: Cow<'t, str>, style: ScalarStyle, tag: Option<&Tag>, at: Position) -> Value {
        let plain = style == ScalarStyle::Plain;
        let resolved = match tag.map(|tag| tag.core_suffix()) {
            None if plain => scalar::resolve(&text),
            Some(Some("int" | "float" | "bool" | "null")) => scalar::resolve(&text),
            _ => Ok(Value::String(text.clone().into_owned())),
        };
        let resolved = resolved.and_then(|value| match tag.and_then(|tag| tag.core_suffix()) {
            Some("int" | "float") if !matches!(value, Value::Number(_)) => Err("is no number, as its tag says"),
            Some("bool") if !matches!(value, Value::Bool(_)) => Err("is not true or false, as its tag says"),
            Some("null") if value != Value::Null => Err("is not null, as its tag says"),
            _ if tag.is_some_and(|tag| tag.suffix() == "binary") => Err("is binary; write it as text"),
            _ => Ok(value),
        });
        resolved.unwrap_or_else(|why| {
            self.faults.push(Fault {
                at,
                message: format!("`{text}` {why}"),
            });
            Value::Null
        })
    }
}

/// The name that a key gives, written as kubectl writes it.
fn name(key: Value) -> Result<String, &'static str> {
    match key {
        Value::String(name) => Ok(name),
        Value::Bool(value) => Ok(value.to_string()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Null => Err("a key cannot be null; quote it if it is text"),
        Value::List(_) | Value::Map(_) => Err("a key has to be text"),
    }
}
