//! What is to be said of a configuration.

use std::fmt;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good to know.
    Info,
    /// Works, though not as written or not for long.
    Warning,
    /// Refused.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Severity::Info => "Info",
            Severity::Warning => "Warning",
            Severity::Error => "Error",
        })
    }
}

/// Which of the two sorts a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sort {
    /// About one document: what istiod's webhook or kubectl would say. An error refuses the configuration.
    Validation,
    /// About documents together: reported, and never a reason to refuse.
    Analysis,
}

/// An object by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ObjectRef {
    /// As `VirtualService`; empty where the plugin's own fields are meant.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
    }
}

/// One thing to be said: of which object, where in it, what is wrong and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// About one document or several.
    pub sort: Sort,
    /// Istio's analyzer code where it has one for the same fact (`IST0106`), or our own (`SWY...`); may be empty.
    pub code: &'static str,
    /// The position among the plugin's `resources`; none for the plugin's own fields.
    pub resource: Option<usize>,
    /// The object.
    pub object: ObjectRef,
    /// Where in the object, as `http[1].route[0].weight`: below `spec` where it has one; `metadata.name` and `kind` are written whole.
    pub path: String,
    /// What is wrong and what to do, in one sentence.
    pub message: String,
    /// Other places it is about.
    pub related: Vec<Related>,
}

/// Another place that a finding is about, and what it has to do with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// The position among the plugin's `resources`.
    pub resource: usize,
    /// Where in the object, as [`Finding::path`].
    pub path: String,
    /// In a few words.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.severity)?;
        if !self.code.is_empty() {
            write!(f, " [{}]", self.code)?;
        }
        if self.resource.is_some() {
            write!(f, " {}", self.object)?;
        }
        if !self.path.is_empty() {
            write!(f, " {}", self.path)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Whether any of them refuses the configuration.
pub fn refuses(findings: &[Finding]) -> bool {
    findings
        .iter()
        .any(|f| f.sort == Sort::Validation && f.severity == Severity::Error)
}
