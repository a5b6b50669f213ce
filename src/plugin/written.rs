//! What was written, by digests: equal ones mean the same, so that what came of it once holds again.

use std::hash::{DefaultHasher, Hasher};

use crate::config::decode::Json;

/// What tells one text from every other, alike in every VM.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Digest([u64; 2]);

/// What a resource is to the routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// A VirtualService with hosts: its rules are its own.
    Root,
    /// Any other object: all routes may depend on it.
    Shared,
    /// Several objects in one.
    List,
}

/// A root's name, and its rules: with the context all that its routes depend on.
#[derive(Debug)]
pub(super) struct Rules {
    pub name: Digest,
    pub rules: Box<[Digest]>,
}

impl Digest {
    /// Of a value.
    pub fn of(json: &Json) -> Self {
        let mut hasher = DefaultHasher::new();
        write(json, &mut hasher);
        Digest::finish(hasher)
    }

    /// Of this and of what follows.
    pub fn and(self, others: impl Iterator<Item = Digest>) -> Self {
        let mut hasher = DefaultHasher::new();
        let all = std::iter::once(self).chain(others);
        all.flat_map(|digest| digest.0).for_each(|part| hasher.write_u64(part));
        Digest::finish(hasher)
    }

    fn finish(mut hasher: DefaultHasher) -> Self {
        let first = hasher.finish();
        hasher.write_u8(1);
        Digest([first, hasher.finish()])
    }
}

impl Sort {
    /// Of an object that is raw; of one that cannot be read, any will do.
    pub fn of(object: &Json) -> Self {
        let Json::Raw(object) = object else { return Sort::Shared };
        let object = Json::skim(object, 2).unwrap_or(Json::Null);
        let has_hosts = || match object.get("spec")?.get("hosts")? {
            Json::Raw(hosts) => Json::skim(hosts, 1).ok()?.entries().map(|hosts| !hosts.is_empty()),
            _ => None,
        };
        match object.get("kind").and_then(Json::text) {
            Some(list) if list.ends_with("List") => Sort::List,
            Some("VirtualService") if has_hosts() == Some(true) => Sort::Root,
            _ => Sort::Shared,
        }
    }
}

impl Rules {
    /// Of a root.
    pub fn of(root: &Json) -> Self {
        let spec = root.get("spec").unwrap_or(&Json::Null);
        let metadata = root.get("metadata").unwrap_or(&Json::Null);
        let mut name = DefaultHasher::new();
        for part in ["namespace", "name"] {
            write(metadata.get(part).unwrap_or(&Json::Null), &mut name);
        }
        let rules = spec.get("http").and_then(Json::entries).unwrap_or_default();
        Rules {
            name: Digest::finish(name),
            rules: rules.iter().map(Digest::of).collect(),
        }
    }
}

/// A value in a form that no other value has.
fn write(json: &Json, hasher: &mut DefaultHasher) {
    match json {
        Json::Null => hasher.write_u8(b'0'),
        Json::Bool(value) => hasher.write_u8(if *value { b't' } else { b'f' }),
        Json::Whole(value) => {
            hasher.write_u8(b'i');
            hasher.write_i64(*value);
        }
        Json::Number(value) => {
            hasher.write_u8(b'd');
            hasher.write_u64(value.to_bits());
        }
        Json::Text(value) => text(value, hasher),
        Json::List(entries) => {
            hasher.write_u8(b'[');
            entries.iter().for_each(|entry| write(entry, hasher));
            hasher.write_u8(b']');
        }
        Json::Object(members) => {
            hasher.write_u8(b'{');
            for (name, value) in members {
                text(name, hasher);
                write(value, hasher);
            }
            hasher.write_u8(b'}');
        }
        Json::Raw(value) => {
            hasher.write_u8(b'r');
            text(value, hasher);
        }
    }
}

fn text(text: &str, hasher: &mut DefaultHasher) {
    hasher.write_u8(b's');
    hasher.write_u32(text.len() as u32);
    hasher.write(text.as_bytes());
}
