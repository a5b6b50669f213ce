//! Kubernetes objects: their metadata, and how one is read.

use std::collections::BTreeMap;

use super::decode::{Decode, Fault, FaultKind, Json, Unknown, decode, nearest, strays};
use super::{KINDS, message};
use crate::finding::{Finding, ObjectRef, Severity, Sort};

message! {
    /// What we read of an object's metadata.
    pub struct ObjectMeta {
        /// Unique for its kind in its namespace.
        pub name: String,
        /// `default` where none is written.
        pub namespace: String,
        /// Switches of single objects.
        pub annotations: BTreeMap<String, String>,
        /// An EndpointSlice names its service here.
        pub labels: BTreeMap<String, String>,
        /// RFC 3339; the older object wins where two claim one host.
        pub creation_timestamp: String,
    }
}

/// An object of one kind.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Object<S> {
    /// Its position among the plugin's `resources`, counting through lists.
    pub resource: usize,
    /// Its kind.
    pub kind: &'static str,
    /// Its name and more.
    pub metadata: ObjectMeta,
    /// What it says.
    pub spec: S,
    /// The places, as findings have them, where something did not fit its type; `spec` has nothing there.
    pub misread: Vec<String>,
}

impl<S> Object<S> {
    /// The object's name as findings have it.
    pub fn reference(&self) -> ObjectRef {
        ObjectRef {
            kind: self.kind.to_owned(),
            namespace: self.metadata.namespace.clone(),
            name: self.metadata.name.clone(),
        }
    }
}

/// Objects in the order in which Istio lets them have what several claim: the oldest first, then by name and namespace.
pub fn oldest_first<'o, S>(objects: impl Iterator<Item = &'o Object<S>>) -> Vec<&'o Object<S>> {
    let objects: Vec<_> = objects.collect();
    let order = ages(objects.iter().map(|object| &object.metadata).enumerate().collect());
    let sorted = order.iter().filter_map(|(position, _)| objects.get(*position).copied());
    sorted.collect()
}

/// Apart from the objects' types, so that they share the code that sorts.
fn ages(mut all: Vec<(usize, &ObjectMeta)>) -> Vec<(usize, &ObjectMeta)> {
    all.sort_by_key(|(_, metadata)| (&metadata.creation_timestamp, &metadata.name, &metadata.namespace));
    all
}

pub(super) const NETWORKING: &str = "networking.istio.io";
pub(super) const ISTIO_VERSIONS: [&str; 3] = ["v1alpha3", "v1beta1", "v1"];

/// An object, read as far as the kind.
pub(super) struct Envelope<'a> {
    resource: usize,
    pub kind: String,
    metadata: ObjectMeta,
    json: &'a Json<'a>,
}

impl<'a> Envelope<'a> {
    pub fn read(resource: usize, json: &'a Json, findings: &mut Vec<Finding>) -> Self {
        let mut metadata = ObjectMeta::default();
        let found = json.get("metadata");
        let faults = found.map(|found| decode(&mut metadata, found, Unknown::Ignore));
        if metadata.namespace.is_empty() {
            metadata.namespace = "default".to_owned();
        }
        let envelope = Envelope {
            resource,
            kind: json.get("kind").and_then(Json::text).unwrap_or_default().to_owned(),
            metadata,
            json,
        };
        if !matches!(json, Json::Object(_)) {
            findings.push(envelope.finding("", format!("has to be an object, and is {}", json.name())));
        }
        let faults = faults.into_iter().flatten().map(|fault| fault.below("metadata"));
        findings.extend(faults.map(|fault| envelope.finding(&fault.path, fault.kind.to_string())));
        envelope
    }

    pub fn finding(&self, path: &str, message: String) -> Finding {
        Finding {
            severity: Severity::Error,
            sort: Sort::Validation,
            code: "",
            resource: Some(self.resource),
            object: ObjectRef {
                kind: self.kind.clone(),
                namespace: self.metadata.namespace.clone(),
                name: self.metadata.name.clone(),
            },
            path: path.to_owned(),
            message,
            related: Vec::new(),
        }
    }

    pub fn passed_over(&self, kind: &str) -> Finding {
        let meant = nearest(kind, &KINDS);
        let meant = meant.map_or(String::new(), |kind| format!("; did you mean {kind}?"));
        let message = format!("{kind} is not a kind we read; it is passed over{meant}");
        Finding {
            severity: Severity::Warning,
            ..self.finding("kind", message)
        }
    }

    /// A kind of Istio's: every version that was served means the same, and no field is passed over.
    pub fn istio<S: Decode + Default>(&mut self, kind: &'static str, findings: &mut Vec<Finding>) -> Object<S> {
        self.check(kind, findings);
        let mut spec = S::default();
        let mut faults = self.spec(&mut spec, Unknown::Refuse);
        faults.retain(|fault| !is_null_match(fault));
        self.object(kind, spec, &faults, findings)
    }

    fn check(&self, kind: &str, findings: &mut Vec<Finding>) {
        let version = self.json.get("apiVersion").and_then(Json::text).unwrap_or_default();
        let known = version
            .split_once('/')
            .is_some_and(|(group, version)| group == NETWORKING && ISTIO_VERSIONS.contains(&version));
        if !known {
            findings.push(self.finding(
                "apiVersion",
                format!("`{version}` has no {kind}; write {NETWORKING}/v1"),
            ));
        }
        let strays = strays(self.json, &["apiVersion", "kind", "metadata", "spec", "status"]);
        findings.extend(
            strays
                .iter()
                .map(|fault| self.finding(&fault.path, fault.kind.to_string())),
        );
        if self.metadata.name.is_empty() {
            findings.push(self.finding("metadata.name", "is missing; an object has a name".to_owned()));
        }
    }

    /// A kind of Kubernetes' own, of which we read a part.
    pub fn kubernetes<S: Decode + Default>(&mut self, kind: &'static str, findings: &mut Vec<Finding>) -> Object<S> {
        let mut spec = S::default();
        let faults = self.spec(&mut spec, Unknown::Ignore);
        self.object(kind, spec, &faults, findings)
    }

    /// A kind whose fields stand beside its metadata.
    pub fn specless<S: Decode + Default>(&mut self, kind: &'static str, findings: &mut Vec<Finding>) -> Object<S> {
        let mut spec = S::default();
        let faults = decode(&mut spec, self.json, Unknown::Ignore);
        self.object(kind, spec, &faults, findings)
    }

    fn spec(&self, spec: &mut dyn Decode, unknown: Unknown) -> Vec<Fault> {
        let found = self.json.get("spec");
        found.map_or(Vec::new(), |json| decode(spec, json, unknown))
    }

    fn object<S>(&mut self, kind: &'static str, spec: S, faults: &[Fault], findings: &mut Vec<Finding>) -> Object<S> {
        findings.extend(
            faults
                .iter()
                .map(|fault| self.finding(&fault.path, fault.kind.to_string())),
        );
        Object {
            resource: self.resource,
            kind,
            metadata: std::mem::take(&mut self.metadata),
            spec,
            misread: faults.iter().map(|fault| fault.path.clone()).collect(),
        }
    }
}

/// A null entry of `match` or of `withoutHeaders` is an empty one to istiod, and no mistake.
fn is_null_match(fault: &Fault) -> bool {
    let parent = fault.path.rsplit_once('.').map_or("", |(parent, _)| parent);
    let list = fault.path.rsplit_once('[').map_or("", |(list, _)| list);
    fault.kind == FaultKind::Null && (list.ends_with(".match") || parent.ends_with(".withoutHeaders"))
}
