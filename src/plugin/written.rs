//! Rules by what was written, so that one that was compiled before need not be again.

use std::hash::{DefaultHasher, Hasher};
use std::sync::{Arc, Weak};

use hashbrown::HashMap;

use crate::config::decode::Json;
use crate::route::{CompiledRules, KnownRules, Route};

/// Where a rule stands: the resource's position and its own in `http`.
type Position = (usize, usize);

/// The rules of a configuration, each as text that tells it from every other one.
pub(super) struct Written {
    /// Of everything else that a rule's routes depend on.
    context: [u64; 2],
    rules: Vec<(Position, Box<[u8]>)>,
}

/// The routes of rules that were compiled, while a table has them.
#[derive(Debug, Default)]
pub(super) struct Compiled {
    context: [u64; 2],
    routes: HashMap<Box<[u8]>, Box<[Weak<Route>]>>,
}

impl Written {
    /// Of a configuration in which every resource stands by itself; none of one with lists in it.
    pub fn of(tree: &Json) -> Option<Written> {
        let resources = tree.get("resources").and_then(Json::entries)?;
        let mut context = Vec::new();
        for own in ["proxy", "options"] {
            write(tree.get(own).unwrap_or(&Json::Null), &mut context);
        }
        let mut rules = Vec::new();
        for (resource, object) in resources.iter().enumerate() {
            match object.get("kind").and_then(Json::text)? {
                list if list.ends_with("List") => return None,
                "VirtualService" => of_virtual_service(resource, object, &mut context, &mut rules),
                _ => of_other(object, &mut context),
            }
        }
        let context = [digest(0, &context), digest(1, &context)];
        Some(Written { context, rules })
    }
}

/// What others delegate to is part of the context; of the others each rule is its own.
fn of_virtual_service(resource: usize, object: &Json, context: &mut Vec<u8>, rules: &mut Vec<(Position, Box<[u8]>)>) {
    let spec = object.get("spec").unwrap_or(&Json::Null);
    let http = spec.get("http").and_then(Json::entries).unwrap_or_default();
    let has_hosts = spec
        .get("hosts")
        .and_then(Json::entries)
        .is_some_and(|hosts| !hosts.is_empty());
    if !has_hosts {
        return of_other(object, context);
    }
    let mut head = Vec::new();
    metadata(object, &["name", "namespace", "creationTimestamp"], &mut head);
    for (name, value) in spec.members().iter().filter(|(name, _)| name != "http") {
        text(name, &mut head);
        write(value, &mut head);
    }
    let head = [digest(0, &head), digest(1, &head)];
    for (index, rule) in http
        .iter()
        .enumerate()
        .filter(|(_, rule)| rule.get("delegate").is_none())
    {
        let mut key = Vec::new();
        head.iter().for_each(|part| key.extend(part.to_le_bytes()));
        write(rule, &mut key);
        rules.push(((resource, index), key.into()));
    }
}

/// Of metadata only what is read: the rest is Kubernetes' and changes with every write.
fn of_other(object: &Json, context: &mut Vec<u8>) {
    let read = ["name", "namespace", "annotations", "labels", "creationTimestamp"];
    metadata(object, &read, context);
    let others = |name: &str| name != "metadata" && name != "status";
    for (name, value) in object.members().iter().filter(|(name, _)| others(name)) {
        text(name, context);
        write(value, context);
    }
}

fn metadata(object: &Json, read: &[&str], bytes: &mut Vec<u8>) {
    let metadata = object.get("metadata").unwrap_or(&Json::Null);
    for name in read {
        write(metadata.get(name).unwrap_or(&Json::Null), bytes);
    }
}

/// A value in a form that no other value has.
fn write(json: &Json, bytes: &mut Vec<u8>) {
    match json {
        Json::Null => bytes.push(b'0'),
        Json::Bool(value) => bytes.push(if *value { b't' } else { b'f' }),
        Json::Whole(value) => {
            bytes.push(b'i');
            bytes.extend(value.to_le_bytes());
        }
        Json::Number(value) => {
            bytes.push(b'd');
            bytes.extend(value.to_le_bytes());
        }
        Json::Text(value) => text(value, bytes),
        Json::List(entries) => {
            bytes.push(b'[');
            entries.iter().for_each(|entry| write(entry, bytes));
            bytes.push(b']');
        }
        Json::Object(members) => {
            bytes.push(b'{');
            for (name, value) in members {
                text(name, bytes);
                write(value, bytes);
            }
            bytes.push(b'}');
        }
    }
}

fn text(text: &str, bytes: &mut Vec<u8>) {
    bytes.push(b's');
    bytes.extend((text.len() as u32).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

fn digest(part: u8, bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write_u8(part);
    hasher.write(bytes);
    hasher.finish()
}

impl Compiled {
    /// Takes over the routes of rules, with their resources' positions.
    pub fn new(written: Written, compiled: &CompiledRules) -> Self {
        let mut routes: HashMap<Position, Vec<Weak<Route>>> = HashMap::new();
        for (resource, all) in compiled {
            for route in all.iter() {
                let position = (*resource, route.rule.http);
                routes.entry(position).or_default().push(Arc::downgrade(route));
            }
        }
        let rules = written.rules.into_iter();
        Compiled {
            context: written.context,
            routes: rules
                .filter_map(|(position, key)| Some((key, routes.remove(&position)?.into())))
                .collect(),
        }
    }

    /// The rules of `written` whose routes are there; what was written of them is taken out of the tree.
    pub fn take_known(&self, written: &Written, tree: &mut Json) -> KnownRules {
        let mut known = KnownRules::default();
        if self.context != written.context {
            return known;
        }
        let Some(Json::List(resources)) = tree.get_mut("resources") else {
            return known;
        };
        for ((resource, index), key) in &written.rules {
            let alive = |routes: &[Weak<Route>]| routes.iter().map(Weak::upgrade).collect::<Option<Vec<_>>>();
            let Some(routes) = self.routes.get(key).and_then(|routes| alive(routes)) else {
                continue;
            };
            let object = resources.get_mut(*resource);
            let http = object.and_then(|object| object.get_mut("spec")?.get_mut("http"));
            if let Some(Json::List(rules)) = http
                && let Some(rule) = rules.get_mut(*index)
            {
                *rule = Json::Object(Vec::new());
                known.insert((*resource, *index), routes);
            }
        }
        known
    }
}
