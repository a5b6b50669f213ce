//! What one configuration leaves for the next: objects that need not be read again, routes that need not be compiled again, the services,
//! and the names of hosts.
//!
//! An object is known by its text. The routes of a VirtualService that has hosts, a *root*, depend on more: on the *context*, which is the
//! proxy and all objects but roots. As long as that is the same, a root's routes are known by its text, or those of its rules by its name
//! and theirs.
//! Several listeners in one VM take turns, with the same objects for each.

use std::ops::Range;
use std::sync::{Arc, Weak};

use hashbrown::{HashMap, HashSet};

use super::objects::{Found, Object, Objects, Search};
use super::written::{Digest, Rules, Sort};
use crate::config::decode::Json;
use crate::config::{Config, Resources, read_object};
use crate::finding::Finding;
use crate::registry::Registry;
use crate::route::{Before, Domains, Known, Routes};

/// How many listeners' routes are known.
const MOST: usize = 4;

/// Where something stands, by the text it stands for.
type Positions = HashMap<Digest, usize>;

/// A configuration's objects, and the routes of those that were loaded last, each for another listener.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Roots without their rules.
    resources: Resources,
    objects: Objects,
    /// The services of all objects, by what they depend on.
    registry: Option<(Digest, Arc<Registry>)>,
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
    /// As long as a table has them.
    domains: Weak<Domains>,
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
    /// Of what the services depend on.
    services: Digest,
    context: Digest,
    objects: Vec<Object>,
    /// Each root's text, and its position among the resources.
    roots: Vec<(Digest, usize, Arc<Rules>)>,
    /// The positions, before and now, of objects that were not read.
    same: Vec<(usize, usize)>,
    /// Which of the objects before are among them, by their places.
    taken: HashSet<usize>,
    /// What need not be compiled.
    pub before: Before,
}

impl Kept {
    /// Begins to go through the next configuration's text.
    pub fn search(&self) -> Search<'_> {
        self.objects.search()
    }

    /// Reads a configuration's resources, which were searched, but for what is known, for which it only leaves room.
    pub fn read(&self, tree: &Json, search: Search, to: &mut Resources, findings: &mut Vec<Finding>) -> Reading {
        to.reserve(&self.resources);
        let entries = tree.get("resources").and_then(Json::entries).unwrap_or_default();
        let found = search.found(entries);
        let sort = |(found, json): (&Found, &Json)| {
            let known = found.before.and_then(|place| self.objects.get(place));
            known.map_or_else(|| Sort::of(json), |object| object.sort)
        };
        let sorts: Vec<Sort> = found.iter().zip(entries).map(sort).collect();
        let shared = found.iter().zip(&sorts).filter(|(_, sort)| **sort != Sort::Root);
        let proxy = tree.get("proxy").unwrap_or(&Json::Null);
        let own = Digest::of(proxy);
        let domain = Digest::of(proxy.get("domain").unwrap_or(&Json::Null));
        let services = domain.and(shared.map(|(found, _)| found.digest));
        let domains = self.listeners.iter().filter_map(|listener| listener.domains.upgrade());
        let mut reading = Reading {
            own,
            services,
            context: own.and(std::iter::once(services)),
            objects: Vec::with_capacity(entries.len()),
            before: Before {
                domains: domains.collect(),
                ..Before::default()
            },
            ..Reading::default()
        };
        let listener = self
            .listeners
            .iter()
            .find(|listener| listener.context == reading.context);
        for ((json, found), sort) in entries.iter().zip(&found).zip(sorts) {
            let position = to.len();
            match sort {
                Sort::Root => {
                    let rules = self.read_root(found, json, listener, to, &mut reading, findings);
                    reading.roots.push((found.digest, position, rules));
                }
                Sort::Shared if self.is_same(found, to, &mut reading) => {}
                _ => to.push(json, findings),
            }
            reading.objects.push(Object {
                digest: found.digest,
                length: found.length,
                position,
                sort,
            });
        }
        reading
    }

    /// Whether an object is one of those before; it is the next one then.
    fn is_same(&self, found: &Found, to: &mut Resources, reading: &mut Reading) -> bool {
        let Some((place, before)) = found.before.and_then(|place| Some((place, self.objects.get(place)?))) else {
            return false;
        };
        let position = to.len();
        let is_same = !reading.taken.contains(&place) && to.leave_room(&self.resources, before.position);
        if is_same {
            reading.taken.insert(place);
            reading.same.push((before.position, position));
        }
        is_same
    }

    /// Reads a root, or what of it is new.
    fn read_root(
        &self,
        found: &Found,
        json: &Json,
        listener: Option<&Listener>,
        to: &mut Resources,
        reading: &mut Reading,
        findings: &mut Vec<Finding>,
    ) -> Arc<Rules> {
        let position = to.len();
        let root = |index: &usize| listener?.roots.get(*index);
        let same = listener
            .and_then(|listener| listener.by_text.get(&found.digest))
            .and_then(root);
        if let Some(same) = same
            && let Some(routes) = same.routes()
            && self.is_same(found, to, reading)
        {
            reading.before.routes.push((position, Known::All(routes)));
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
            reading.before.routes.push((position, Known::Some(routes, parts)));
        }
        to.push(&object, findings);
        Arc::new(rules)
    }

    /// The services of a configuration whose resources are whole.
    pub fn registry(&self, reading: &Reading, config: &Config) -> Arc<Registry> {
        match &self.registry {
            Some((services, registry)) if *services == reading.services => Arc::clone(registry),
            _ => Arc::new(Registry::new(config)),
        }
    }

    /// Gives up the objects of a configuration for one that has some of them.
    pub fn hand_over(&mut self, reading: &Reading, to: &mut Resources) {
        self.objects = Objects::default();
        self.listeners.retain(|listener| listener.own != reading.own);
        to.adopt(std::mem::take(&mut self.resources), &reading.same);
    }

    /// What stays of a configuration that came to this.
    pub fn keep(
        &mut self,
        reading: Reading,
        resources: Resources,
        registry: Arc<Registry>,
        routes: &[Option<Arc<Routes>>],
        domains: &Arc<Domains>,
    ) {
        self.registry = Some((reading.services, registry));
        self.resources = resources;
        self.resources.forget_rules();
        self.objects = Objects::new(reading.objects);
        let count = reading.roots.len();
        let mut listener = Listener {
            own: reading.own,
            context: reading.context,
            roots: Vec::with_capacity(count),
            by_text: Positions::with_capacity(count),
            by_name: Positions::with_capacity(count),
            domains: Arc::downgrade(domains),
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
