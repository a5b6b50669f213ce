//! The documents that are in force: each the last version that was right.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::rc::Rc;

use crate::cli::input::{Input, Resource, Unreadable};
use crate::finding::{Finding, ObjectRef, Severity, Sort};
use crate::yaml::Node;

/// What is said of the resources of an input, by position among them.
pub(super) type Check<'c> = dyn Fn(&[&Node]) -> Vec<Finding> + 'c;

/// A finding, and what it is about.
pub(super) type Found = (Finding, Option<Rc<Resource>>);

/// The last good version of each object, in order.
#[derive(Default)]
pub(super) struct Manifests {
    live: Vec<Rc<Resource>>,
}

/// What a reading of the files comes to.
pub(super) struct Reading {
    /// The objects to serve, in order.
    pub(super) resources: Vec<Rc<Resource>>,
    /// What is to be said of what was read.
    pub(super) found: Vec<Found>,
    /// Documents that are no YAML, and files that cannot be read.
    pub(super) unreadable: Vec<Unreadable>,
    /// The documents that are refused.
    pub(super) refused: Vec<Refused>,
}

/// A document that is refused alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) file: Rc<str>,
    /// None where the document is no YAML.
    pub(super) object: Option<ObjectRef>,
    /// Whether an earlier version of it stays in force.
    pub(super) kept: bool,
}

impl Manifests {
    /// Sorts the right documents from the wrong ones. Nothing is in force by this alone: see [`Manifests::enforce`].
    pub(super) fn read(&self, input: Input, check: &Check) -> Reading {
        let unreadable = input.unreadable;
        let mut found = Vec::new();
        let resources = without_twins(input.resources.into_iter().map(Rc::new).collect(), &mut found);
        let said = check(&nodes(&resources));
        let wrong: Vec<bool> = wrong(&said, resources.len());
        found.extend(said.into_iter().map(|finding| {
            let resource = finding.resource.and_then(|index| resources.get(index)).cloned();
            (finding, resource)
        }));

        let live: BTreeMap<ObjectRef, &Rc<Resource>> = self
            .live
            .iter()
            .map(|resource| (reference(&resource.node), resource))
            .collect();
        let mut refused: Vec<Refused> = self.unreadable_files(&unreadable);
        let mut chosen: Vec<Rc<Resource>> = Vec::new();
        for (resource, wrong) in resources.iter().zip(wrong) {
            let object = reference(&resource.node);
            let version = match wrong {
                false => Some(resource),
                true => live.get(&object).copied(),
            };
            if wrong {
                refused.push(Refused {
                    file: Rc::clone(&resource.file),
                    kept: version.is_some(),
                    object: Some(object),
                });
            }
            chosen.extend(version.cloned());
        }
        // Which object an unreadable document was cannot be known: none of its file is taken for deleted.
        let is_unread = |old: &Resource| unreadable.iter().any(|unread| is_of(old, Path::new(&*unread.file)));
        let read: BTreeSet<ObjectRef> = resources.iter().map(|resource| reference(&resource.node)).collect();
        let chosen = self.with_hidden(chosen, |old| is_unread(old) && !read.contains(&reference(&old.node)));
        Reading {
            resources: fitting(chosen, check),
            found,
            unreadable,
            refused,
        }
    }

    /// Whether an object of a file, or of one below a directory, is in force.
    pub(super) fn has_of(&self, path: &Path) -> bool {
        self.live.iter().any(|resource| is_of(resource, path))
    }

    /// Adds the objects in force that are hidden, each where it stood: nothing changes by it.
    fn with_hidden(&self, chosen: Vec<Rc<Resource>>, is_hidden: impl Fn(&Resource) -> bool) -> Vec<Rc<Resource>> {
        let seen: BTreeSet<ObjectRef> = chosen.iter().map(|resource| reference(&resource.node)).collect();
        let mut after: BTreeMap<Option<ObjectRef>, Vec<Rc<Resource>>> = BTreeMap::new();
        let mut last = None;
        for old in &self.live {
            let object = reference(&old.node);
            if seen.contains(&object) {
                last = Some(object);
            } else if is_hidden(old) {
                after.entry(last.clone()).or_default().push(Rc::clone(old));
            }
        }
        let mut all = after.remove(&None).unwrap_or_default();
        for resource in chosen {
            let object = Some(reference(&resource.node));
            all.push(resource);
            all.extend(after.remove(&object).unwrap_or_default());
        }
        all
    }

    fn unreadable_files(&self, unreadable: &[Unreadable]) -> Vec<Refused> {
        let mut refused: Vec<Refused> = Vec::new();
        for Unreadable { file, .. } in unreadable {
            if !refused.iter().any(|other| other.file == *file) {
                refused.push(Refused {
                    file: Rc::clone(file),
                    object: None,
                    kept: self.has_of(Path::new(&**file)),
                });
            }
        }
        refused
    }

    /// These objects are served from now on: they are the versions to go back to.
    pub(super) fn enforce(&mut self, resources: &[Rc<Resource>]) {
        self.live = resources.to_vec();
    }
}

/// Old versions and new ones may not fit together: then those that do not go as well.
fn fitting(mut chosen: Vec<Rc<Resource>>, check: &Check) -> Vec<Rc<Resource>> {
    loop {
        let wrong = wrong(&check(&nodes(&chosen)), chosen.len());
        if !wrong.contains(&true) {
            return chosen;
        }
        let mut wrong = wrong.into_iter();
        chosen.retain(|_| wrong.next() != Some(true));
    }
}

/// Of two documents for one object the later one counts, as if they were applied in order.
fn without_twins(resources: Vec<Rc<Resource>>, findings: &mut Vec<Found>) -> Vec<Rc<Resource>> {
    let mut last = BTreeMap::new();
    for (index, resource) in resources.iter().enumerate() {
        last.insert(reference(&resource.node), index);
    }
    let mut kept = Vec::new();
    for (index, resource) in resources.iter().enumerate() {
        let object = reference(&resource.node);
        match last.get(&object).and_then(|last| resources.get(*last)) {
            Some(other) if !Rc::ptr_eq(other, resource) && !object.name.is_empty() => findings.push((
                Finding {
                    severity: Severity::Warning,
                    sort: Sort::Analysis,
                    code: "",
                    resource: Some(index),
                    object,
                    path: "metadata.name".to_owned(),
                    related: Vec::new(),
                    message: format!(
                        "the object is written again in {}:{}, and that one counts; remove one of them",
                        other.file, other.node.at
                    ),
                },
                Some(Rc::clone(resource)),
            )),
            _ => kept.push(Rc::clone(resource)),
        }
    }
    kept
}

fn wrong(findings: &[Finding], resources: usize) -> Vec<bool> {
    let mut wrong = vec![false; resources];
    for finding in findings {
        let refuses = finding.sort == Sort::Validation && finding.severity == Severity::Error;
        if let Some(wrong) = finding.resource.and_then(|index| wrong.get_mut(index)) {
            *wrong |= refuses;
        }
    }
    wrong
}

fn is_of(resource: &Resource, path: &Path) -> bool {
    Path::new(&*resource.file).starts_with(path)
}

fn nodes(resources: &[Rc<Resource>]) -> Vec<&Node> {
    resources.iter().map(|resource| &resource.node).collect()
}

/// What an object is called. Group and version do not tell objects apart: our kinds have one group each.
fn reference(node: &Node) -> ObjectRef {
    let metadata = node.get("metadata");
    let text = |name| metadata.map_or("", |metadata| metadata.text(name));
    ObjectRef {
        kind: node.text("kind").to_owned(),
        namespace: match text("namespace") {
            "" => "default",
            namespace => namespace,
        }
        .to_owned(),
        name: text("name").to_owned(),
    }
}

#[cfg(test)]
mod tests;
