//! Where findings go while a document is looked through.

use std::cell::RefCell;
use std::fmt;

use crate::config::Object;
use crate::finding::{Finding, ObjectRef, Related, Severity, Sort};
use crate::matcher::Regexes;
use crate::matcher::regex::InvalidRegex;

/// Istio's code of what its webhook refuses.
const SCHEMA_ERROR: &str = "IST0106";
/// Istio's code of what its webhook takes with a warning.
const SCHEMA_WARNING: &str = "IST0133";

/// The document that is looked through, and what was found in it so far.
pub(super) struct Document<'r> {
    resource: Option<usize>,
    object: ObjectRef,
    misread: &'r [String],
    findings: RefCell<Vec<Finding>>,
    regexes: RefCell<&'r mut Regexes>,
}

impl<'r> Document<'r> {
    /// An object among the resources.
    pub fn new<S>(object: &'r Object<S>, regexes: &'r mut Regexes) -> Self {
        Document {
            resource: Some(object.resource),
            object: object.reference(),
            misread: &object.misread,
            findings: RefCell::default(),
            regexes: RefCell::new(regexes),
        }
    }

    /// The plugin's own fields.
    pub fn own(regexes: &'r mut Regexes) -> Self {
        Document {
            resource: None,
            object: ObjectRef::default(),
            misread: &[],
            findings: RefCell::default(),
            regexes: RefCell::new(regexes),
        }
    }

    /// The top of it.
    pub fn at(&self) -> At<'_, 'r> {
        At {
            document: self,
            parent: None,
            name: "",
            index: None,
        }
    }

    pub fn into_findings(self) -> Vec<Finding> {
        self.findings.into_inner()
    }
}

/// A place in a document, where something may be wrong; it is written out only then.
#[derive(Clone, Copy)]
pub(super) struct At<'p, 'r> {
    document: &'p Document<'r>,
    parent: Option<&'p At<'p, 'r>>,
    name: &'p str,
    index: Option<usize>,
}

impl<'p, 'r> At<'p, 'r> {
    /// A field, or an entry of a map.
    pub fn field<'s>(&'s self, name: &'s str) -> At<'s, 'r> {
        At {
            document: self.document,
            parent: Some(self),
            name,
            index: None,
        }
    }

    /// An entry of the list that a field is.
    pub fn entry<'s>(&'s self, name: &'s str, index: usize) -> At<'s, 'r> {
        At {
            index: Some(index),
            ..self.field(name)
        }
    }

    /// The entries of the list that a field is, each with its place.
    pub fn each<'s, 'l, T>(&'s self, name: &'s str, list: &'l [T]) -> impl Iterator<Item = (At<'s, 'r>, &'l T)> {
        list.iter()
            .enumerate()
            .map(move |(index, entry)| (self.entry(name, index), entry))
    }

    /// Istio refuses the document for it.
    pub fn error(&self, message: impl Into<String>) {
        self.add(Severity::Error, SCHEMA_ERROR, message);
    }

    /// Istio takes the document and warns.
    pub fn warn(&self, message: impl Into<String>) {
        self.add(Severity::Warning, SCHEMA_WARNING, message);
    }

    /// The plugin is refused for one of its own fields, which Istio does not know.
    pub fn refuse(&self, message: impl Into<String>) {
        self.add(Severity::Error, "", message);
    }

    /// Anything that has a code of its own. Of what could not be read nothing more is said.
    pub fn add(&self, severity: Severity, code: &'static str, message: impl Into<String>) {
        self.push(severity, code, message.into(), Vec::new());
    }

    /// A warning that is about another place of the document too, and what that one does.
    pub fn warn_because(&self, code: &'static str, message: String, other: &At, does: &str) {
        let related = Related {
            resource: self.document.resource.unwrap_or_default(),
            path: other.to_string(),
            message: does.to_owned(),
        };
        self.push(Severity::Warning, code, message, vec![related]);
    }

    fn push(&self, severity: Severity, code: &'static str, message: String, related: Vec<Related>) {
        let path = self.to_string();
        if self.document.misread.contains(&path) {
            return;
        }
        self.document.findings.borrow_mut().push(Finding {
            severity,
            sort: Sort::Validation,
            code,
            resource: self.document.resource,
            object: self.document.object.clone(),
            path,
            message,
            related,
        });
    }

    /// The document's namespace.
    pub fn namespace(&self) -> &'p str {
        &self.document.object.namespace
    }

    /// The document's name.
    pub fn name(&self) -> &'p str {
        &self.document.object.name
    }

    /// An expression for whole values.
    pub fn regex(&self, written: &str) {
        self.expression(written, Regexes::whole);
    }

    /// An expression to look for anywhere in a value.
    pub fn unanchored_regex(&self, written: &str) {
        self.expression(written, Regexes::anywhere);
    }

    fn expression<T>(&self, written: &str, compile: impl Fn(&mut Regexes, &str) -> Result<T, InvalidRegex>) {
        const LONGEST: usize = 1024;
        if written.is_empty() {
            self.error("is empty; write an expression, or `.*` for any value");
        } else if written.len() > LONGEST {
            self.error(format!(
                "has {} bytes; a regular expression may have {LONGEST}",
                written.len()
            ));
        } else if let Err(InvalidRegex(reason)) = compile(&mut self.document.regexes.borrow_mut(), written) {
            self.error(reason);
        }
    }
}

impl fmt::Display for At<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(parent) = self.parent else { return Ok(()) };
        parent.fmt(f)?;
        if parent.parent.is_some() {
            f.write_str(".")?;
        }
        f.write_str(self.name)?;
        self.index.map_or(Ok(()), |index| write!(f, "[{index}]"))
    }
}
