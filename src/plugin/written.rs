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

/// A root's rules, and what it is beside them.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub head: Digest,
    pub rules: Box<[Digest]>,
}

impl Digest {
    /// Of a value.
    pub fn of(json: &Json) -> Self {
        let mut hasher = DefaultHasher::new();
        write(json, &mut hasher);
        Digest::finish(hasher)
    }

    /// Of what all routes depend on: the proxy, the limits and all objects that are shared, each by its own digest.
    pub fn of_context(tree: &Json, shared: impl Iterator<Item = Digest>) -> Self {
        let mut hasher = DefaultHasher::new();
        for own in ["proxy", "options"] {
            write(tree.get(own).unwrap_or(&Json::Null), &mut hasher);
        }
        shared
            .flat_map(|digest| digest.0)
            .for_each(|part| hasher.write_u64(part));
        Digest::finish(hasher)
    }

    fn finish(mut hasher: DefaultHasher) -> Self {
        let first = hasher.finish();
        hasher.write_u8(1);
        Digest([first, hasher.finish()])
    }
}

impl Sort {
    /// Of an object; of one that cannot be read, any will do.
    pub fn of(object: &Json) -> Self {
        let hosts = || object.get("spec")?.get("hosts")?.entries();
        match object.get("kind").and_then(Json::text) {
            Some(list) if list.ends_with("List") => Sort::List,
            Some("VirtualService") if hosts().is_some_and(|hosts| !hosts.is_empty()) => Sort::Root,
            _ => Sort::Shared,
        }
    }
}

impl Rules {
    /// Of a root. Of its metadata only what is read counts: the rest is Kubernetes' and changes with every write.
    pub fn of(root: &Json) -> Self {
        let spec = root.get("spec").unwrap_or(&Json::Null);
        let metadata = root.get("metadata").unwrap_or(&Json::Null);
        let mut head = DefaultHasher::new();
        for name in ["name", "namespace", "creationTimestamp"] {
            write(metadata.get(name).unwrap_or(&Json::Null), &mut head);
        }
        for (name, value) in spec.members().iter().filter(|(name, _)| name != "http") {
            text(name, &mut head);
            write(value, &mut head);
        }
        let rules = spec.get("http").and_then(Json::entries).unwrap_or_default();
        Rules {
            head: Digest::finish(head),
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
