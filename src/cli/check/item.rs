//! One thing to print.

use std::cmp::Ordering;

use crate::cli::input::{Input, Resource, Unreadable};
use crate::finding::{Finding, ObjectRef, Severity};
use crate::yaml::Position;

/// A finding with its line, or a document that is no YAML.
pub(super) struct Item<'a> {
    pub severity: Severity,
    pub code: &'a str,
    /// None where there is no object yet.
    pub object: Option<&'a ObjectRef>,
    pub path: &'a str,
    pub message: &'a str,
    /// None for what is no document's.
    pub place: Option<Place<'a>>,
    /// Other places, and what they have to do with it.
    pub related: Vec<(Place<'a>, &'a str)>,
}

/// Where something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place<'a> {
    pub file: &'a str,
    pub at: Position,
}

impl<'a> Place<'a> {
    fn of(resource: &'a Resource, path: &str) -> Self {
        Place {
            file: &resource.file,
            at: resource.node.position(path),
        }
    }
}

impl<'a> Item<'a> {
    pub fn new(finding: &'a Finding, input: &'a Input) -> Self {
        let place = |index: usize, path: &str| Some(Place::of(input.resources.get(index)?, path));
        let related = finding.related.iter();
        Item {
            severity: finding.severity,
            code: finding.code,
            object: finding.resource.map(|_| &finding.object),
            path: &finding.path,
            message: &finding.message,
            place: finding.resource.and_then(|index| place(index, &finding.path)),
            related: related
                .filter_map(|other| Some((place(other.resource, &other.path)?, other.message.as_str())))
                .collect(),
        }
    }

    pub fn unreadable(unreadable: &'a Unreadable) -> Self {
        Item {
            severity: Severity::Error,
            code: "",
            object: None,
            path: "",
            message: &unreadable.fault.message,
            place: Some(Place {
                file: &unreadable.file,
                at: unreadable.fault.at,
            }),
            related: Vec::new(),
        }
    }

    /// By place; what is worse first where two have the same.
    pub fn in_order(&self, other: &Self) -> Ordering {
        self.place.cmp(&other.place).then(other.severity.cmp(&self.severity))
    }

    /// What it is about, with a colon behind it.
    pub fn subject(&self) -> String {
        let object = self.object.map(ToString::to_string).unwrap_or_default();
        match [&object, self.path].join(" ").trim() {
            "" => String::new(),
            subject => format!("{subject}: "),
        }
    }

    /// Whether it says of one match what `rule` says of the rule that has it.
    pub fn is_part_of(&self, rule: &Item) -> bool {
        let inside = || {
            self.path
                .strip_prefix(rule.path)
                .is_some_and(|rest| rest.starts_with(".match["))
        };
        self.code == "IST0131" && rule.code == "IST0130" && self.object == rule.object && inside()
    }
}
