//! What one configuration leaves for the next: objects that need not be read again, and routes that need not be compiled again.
//!
//! An object is known by its text. The routes of a VirtualService that has hosts, a *root*, depend on more: on the *context*, which is
//! all of the configuration but its roots. As long as that is the same, a root's routes are known by its text, and those of its rules by theirs.

use std::ops::Range;
use std::sync::{Arc, Weak};

use hashbrown::HashMap;

use super::written::{Digest, Rules, Sort};
use crate::config::decode::Json;
use crate::config::{Resources, read_object};
use crate::finding::Finding;
use crate::route::{Known, KnownRoutes, Routes};

/// Where something stands, by the text it stands for.
type Positions = HashMap<Digest, usize>;

/// A configuration's objects and routes.
#[derive(Debug, Default)]
pub(super) struct Kept {
    context: Digest,
    /// Roots without their rules.
    resources: Resources,
    /// Of all but roots, among the resources.
    shared: Positions,
    roots: Vec<Root>,
    by_text: Positions,
    /// By all but their rules.
    by_head: Positions,
}

#[derive(Debug)]
struct Root {
    /// Among the resources.
    position: usize,
    rules: Rules,
    /// As long as a table has them; none where all rules are for other listeners.
    routes: Option<Weak<Routes>>,
}

/// What a configuration was read from.
pub(super) struct Texts {
    context: Digest,
    shared: Positions,
    /// Each root's text, and its position among the resources.
    roots: Vec<(Digest, usize, Rules)>,
}

impl Kept {
    /// What stays of a configuration whose objects have these routes, by their positions.
    pub fn new(texts: Texts, mut resources: Resources, routes: &[Option<Arc<Routes>>]) -> Self {
        resources.forget_rules();
        let mut kept = Kept {
            context: texts.context,
            resources,
            shared: texts.shared,
            ..Kept::default()
        };
        for (index, (digest, position, rules)) in texts.roots.into_iter().enumerate() {
            kept.by_text.insert(digest, index);
            kept.by_head.insert(rules.head, index);
            let routes = routes.get(position).and_then(Option::as_ref).map(Arc::downgrade);
            kept.roots.push(Root {
                position,
                rules,
                routes,
            });
        }
        kept
    }

    /// Reads a configuration's resources, but for what is known.
    pub fn read(mut self, tree: &Json, to: &mut Resources, findings: &mut Vec<Finding>) -> (Texts, KnownRoutes) {
        let entries = tree.get("resources").and_then(Json::entries).unwrap_or_default();
        let sorts: Vec<(Digest, Sort)> = entries.iter().map(|json| self.sort(json)).collect();
        let shared = sorts.iter().filter(|(_, sort)| *sort != Sort::Root);
        let mut texts = Texts {
            context: Digest::of_context(tree, shared.map(|(digest, _)| *digest)),
            shared: Positions::default(),
            roots: Vec::new(),
        };
        if texts.context != self.context {
            self.roots.clear();
        }
        let mut known = KnownRoutes::default();
        for (json, (digest, sort)) in entries.iter().zip(sorts) {
            let position = to.len();
            match sort {
                Sort::Root => {
                    let rules = self.read_root(digest, json, to, &mut known, findings);
                    texts.roots.push((digest, position, rules));
                }
                Sort::Shared => {
                    let before = self.shared.remove(&digest);
                    if !before.is_some_and(|before| to.adopt(&mut self.resources, before)) {
                        to.push(json, findings);
                    }
                    texts.shared.insert(digest, position);
                }
                Sort::List => to.push(json, findings),
            }
        }
        (texts, known)
    }

    fn sort(&self, json: &Json) -> (Digest, Sort) {
        let digest = Digest::of(json);
        let sort = if self.by_text.contains_key(&digest) {
            Sort::Root
        } else if self.shared.contains_key(&digest) {
            Sort::Shared
        } else {
            Sort::of(&object(json))
        };
        (digest, sort)
    }

    /// Reads a root, or what of it is new.
    fn read_root(
        &mut self,
        digest: Digest,
        json: &Json,
        to: &mut Resources,
        known: &mut KnownRoutes,
        findings: &mut Vec<Finding>,
    ) -> Rules {
        let position = to.len();
        let same = self.by_text.remove(&digest);
        if let Some(root) = same.and_then(|index| self.roots.get_mut(index))
            && let Some(routes) = root.routes()
            && to.adopt(&mut self.resources, root.position)
        {
            known.push((position, Known::All(routes)));
            return std::mem::take(&mut root.rules);
        }
        let mut object = object(json);
        let rules = Rules::of(&object);
        let before = self.by_head.get(&rules.head).and_then(|index| self.roots.get(*index));
        if let Some(before) = before
            && let Some(Some(routes)) = before.routes()
        {
            let parts = before.rules.parts(&rules, &routes);
            forget(&parts, &mut object);
            known.push((position, Known::Some(routes, parts)));
        }
        to.push(&object, findings);
        rules
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
