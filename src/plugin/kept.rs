//! What one configuration leaves for the next: objects that need not be read again, and routes that need not be compiled again.
//!
//! An object is known by its text. The routes of a VirtualService that has hosts, a *root*, depend on more: on the *context*, which is the
//! proxy and all objects but roots. As long as that is the same, a root's routes are known by its text, or those of its rules by its name
//! and theirs.
//! Several listeners in one VM take turns, with the same objects for each.

use std::ops::Range;
use std::sync::{Arc, Weak};

use hashbrown::HashMap;

use super::written::{Digest, Rules, Sort};
use crate::config::decode::Json;
use crate::config::{Resources, read_object};
use crate::finding::Finding;
use crate::route::{Known, KnownRoutes, Routes};

/// How many listeners' routes are known.
const MOST: usize = 4;

/// Where something stands, by the text it stands for.
type Positions = HashMap<Digest, usize>;

/// A configuration's objects, and the routes of those that were loaded last, each for another listener.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Roots without their rules.
    resources: Resources,
    /// Where each stands among the resources, and what it is, by its text.
    objects: HashMap<Digest, (usize, Sort)>,
    /// The latest last.
    listeners: Vec<Listener>,
}

/// What one listener's routes came of.
#[derive(Debug, Default)]
struct Listener {
    /// Of the proxy.
    own: Digest,
    context: Digest,
    roots: Vec<Root>,
    by_text: Positions,
    by_name: Positions,
}

#[derive(Debug)]
struct Root {
    rules: Arc<Rules>,
    /// As long as a table has them; none where all rules are for other listeners.
    routes: Option<Weak<Routes>>,
}

/// A configuration as far as it was read.
#[derive(Default)]
pub(super) struct Reading {
    own: Digest,
    context: Digest,
    objects: HashMap<Digest, (usize, Sort)>,
    /// Each root's text, and its position among the resources.
    roots: Vec<(Digest, usize, Arc<Rules>)>,
    /// The positions, before and now, of objects that were not read.
    same: Vec<(usize, usize)>,
    /// Routes that need not be compiled.
    pub known: KnownRoutes,
}

impl Kept {
    /// Reads a configuration's resources, but for what is known, for which it only leaves room.
    pub fn read(&self, tree: &Json, to: &mut Resources, findings: &mut Vec<Finding>) -> Reading {
        to.reserve(&self.resources);
        let entries = tree.get("resources").and_then(Json::entries).unwrap_or_default();
        let sorts: Vec<(Digest, Sort)> = entries.iter().map(|json| self.sort(json)).collect();
        let shared = sorts.iter().filter(|(_, sort)| *sort != Sort::Root);
        let own = Digest::of(tree.get("proxy").unwrap_or(&Json::Null));
        let mut reading = Reading {
            own,
            context: own.and(shared.map(|(digest, _)| *digest)),
            objects: HashMap::with_capacity(entries.len()),
            ..Reading::default()
        };
        let listener = self
            .listeners
            .iter()
            .find(|listener| listener.context == reading.context);
        for (json, (digest, sort)) in entries.iter().zip(sorts) {
            let position = to.len();
            match sort {
                Sort::Root => {
                    let rules = self.read_root(digest, json, listener, to, &mut reading, findings);
                    reading.roots.push((digest, position, rules));
                }
                Sort::Shared if self.is_same(digest, to, &mut reading) => {}
                _ => to.push(json, findings),
            }
            reading.objects.insert(digest, (position, sort));
        }
        reading
    }

    fn sort(&self, json: &Json) -> (Digest, Sort) {
        let digest = Digest::of(json);
        let known = self.objects.get(&digest).map(|(_, sort)| *sort);
        (digest, known.unwrap_or_else(|| Sort::of(json)))
    }

    /// Whether there is an object of this text; it is the next one then.
    fn is_same(&self, digest: Digest, to: &mut Resources, reading: &mut Reading) -> bool {
        let Some((before, _)) = self.objects.get(&digest) else {
            return false;
        };
        let position = to.len();
        let is_same = !reading.objects.contains_key(&digest) && to.leave_room(&self.resources, *before);
        if is_same {
            reading.same.push((*before, position));
        }
        is_same
    }

    /// Reads a root, or what of it is new.
    fn read_root(
        &self,
        digest: Digest,
        json: &Json,
        listener: Option<&Listener>,
        to: &mut Resources,
        reading: &mut Reading,
        findings: &mut Vec<Finding>,
    ) -> Arc<Rules> {
        let position = to.len();
        let root = |index: &usize| listener?.roots.get(*index);
        let same = listener
            .and_then(|listener| listener.by_text.get(&digest))
            .and_then(root);
        if let Some(same) = same
            && let Some(routes) = same.routes()
            && self.is_same(digest, to, reading)
        {
            reading.known.push((position, Known::All(routes)));
            return Arc::clone(&same.rules);
        }
        let mut object = object(json);
        let rules = Rules::of(&object);
        let before = listener
            .and_then(|listener| listener.by_name.get(&rules.name))
            .and_then(root);
        if let Some(before) = before
            && let Some(Some(routes)) = before.routes()
        {
            let parts = before.rules.parts(&rules, &routes);
            forget(&parts, &mut object);
            reading.known.push((position, Known::Some(routes, parts)));
        }
        to.push(&object, findings);
        Arc::new(rules)
    }

    /// Gives up the objects of a configuration for one that has some of them.
    pub fn hand_over(&mut self, reading: &Reading, to: &mut Resources) {
        self.objects = HashMap::default();
        self.listeners.retain(|listener| listener.own != reading.own);
        to.adopt(std::mem::take(&mut self.resources), &reading.same);
    }

    /// What stays of a configuration whose objects have these routes, by their positions.
    pub fn keep(&mut self, reading: Reading, resources: Resources, routes: &[Option<Arc<Routes>>]) {
        self.resources = resources;
        self.resources.forget_rules();
        self.objects = reading.objects;
        let count = reading.roots.len();
        let mut listener = Listener {
            own: reading.own,
            context: reading.context,
            roots: Vec::with_capacity(count),
            by_text: Positions::with_capacity(count),
            by_name: Positions::with_capacity(count),
        };
        for (index, (digest, position, rules)) in reading.roots.into_iter().enumerate() {
            listener.by_text.insert(digest, index);
            listener.by_name.insert(rules.name, index);
            let routes = routes.get(position).and_then(Option::as_ref).map(Arc::downgrade);
            listener.roots.push(Root { rules, routes });
        }
        if self.listeners.len() >= MOST {
            self.listeners.remove(0);
        }
        self.listeners.push(listener);
    }
}

impl Root {
    /// Its routes, or that it has none; nothing if they are gone.
    fn routes(&self) -> Option<Option<Arc<Routes>>> {
        match &self.routes {
            Some(routes) => routes.upgrade().map(Some),
            None => Some(None),
        }
    }
}

/// An object that is raw still; null if it cannot be read.
fn object<'j>(json: &Json<'j>) -> Json<'j> {
    match json {
        Json::Raw(text) => read_object(text).unwrap_or(Json::Null),
        json => json.clone(),
    }
}

impl Rules {
    /// Which of the routes that these rules have are those of other rules, each of which may be among these.
    fn parts(&self, others: &Rules, routes: &Routes) -> Vec<Range<usize>> {
        let positions: Positions = self.rules.iter().copied().zip(0..).collect();
        let routes_of = |digest: &Digest| {
            let http = positions.get(digest)?;
            let begin = routes.partition_point(|route| route.rule.http < *http);
            let end = routes.partition_point(|route| route.rule.http <= *http);
            Some(begin..end)
        };
        let others = others.rules.iter();
        others.map(|digest| routes_of(digest).unwrap_or_default()).collect()
    }
}

/// Leaves out the rules that have routes.
fn forget(parts: &[Range<usize>], root: &mut Json) {
    let http = root.get_mut("spec").and_then(|spec| spec.get_mut("http"));
    if let Some(Json::List(rules)) = http {
        for (rule, _) in rules.iter_mut().zip(parts).filter(|(_, part)| !part.is_empty()) {
            *rule = Json::Object(Vec::new());
        }
    }
}
