//! Kubernetes objects: their metadata, and which kinds we read.

use std::collections::BTreeMap;

use super::decode::{Decode, Fault, FaultKind, Json, Unknown, decode, nearest, strays};
use super::destination_rule::DestinationRule;
use super::gateway::Gateway;
use super::kubernetes::{EndpointSlice, Endpoints, Pod, Service};
use super::message;
use super::service_entry::ServiceEntry;
use super::virtual_service::VirtualService;
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

/// The objects we read, by kind, each kind in the order written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Resources {
    /// Routes.
    pub virtual_services: Vec<Object<VirtualService>>,
    /// Subsets and policies.
    pub destination_rules: Vec<Object<DestinationRule>>,
    /// Listeners at the edge.
    pub gateways: Vec<Object<Gateway>>,
    /// Services by their endpoints.
    pub service_entries: Vec<Object<ServiceEntry>>,
    /// Kubernetes' services.
    pub services: Vec<Object<Service>>,
    /// Their endpoints.
    pub endpoint_slices: Vec<Object<EndpointSlice>>,
    /// Their endpoints, as older clusters have them.
    pub endpoints: Vec<Object<Endpoints>>,
    /// What their endpoints are labelled.
    pub pods: Vec<Object<Pod>>,
    /// How many objects were read or passed over.
    count: usize,
}

pub(super) const NETWORKING: &str = "networking.istio.io";
pub(super) const ISTIO_VERSIONS: [&str; 3] = ["v1alpha3", "v1beta1", "v1"];
/// The kinds that are read; objects of others are passed over with a warning.
pub const KINDS: [&str; 8] = [
    "VirtualService",
    "DestinationRule",
    "Gateway",
    "ServiceEntry",
    "Service",
    "EndpointSlice",
    "Endpoints",
    "Pod",
];
/// The kinds that decide over requests: all that the filter has use for. The others are about endpoints, and a pod may hold secrets.
pub const DECIDING_KINDS: [&str; 5] = [
    "VirtualService",
    "DestinationRule",
    "Gateway",
    "ServiceEntry",
    "Service",
];

impl Resources {
    /// Adds a list of objects.
    pub(super) fn extend(&mut self, list: &Json, findings: &mut Vec<Finding>) {
        match list.entries() {
            Some(entries) => entries.iter().for_each(|json| self.push(json, findings)),
            None => findings.push(super::own(
                "resources",
                "has to be a list of Kubernetes objects".to_owned(),
            )),
        }
    }

    /// Adds one object, or a list of them. An object that does not fit is added as far as it was read.
    fn push(&mut self, json: &Json, findings: &mut Vec<Finding>) {
        let mut envelope = Envelope::read(self.count, json, findings);
        if envelope.kind.ends_with("List") {
            match json.get("items").and_then(Json::entries) {
                Some(items) => return items.iter().for_each(|item| self.push(item, findings)),
                None => findings.push(envelope.finding("items", "has to be a list of Kubernetes objects".to_owned())),
            }
        }
        self.count += 1;
        match envelope.kind.as_str() {
            "VirtualService" => self.virtual_services.push(envelope.istio("VirtualService", findings)),
            "DestinationRule" => self.destination_rules.push(envelope.istio("DestinationRule", findings)),
            "Gateway" => self.gateways.push(envelope.istio("Gateway", findings)),
            "ServiceEntry" => self.service_entries.push(envelope.istio("ServiceEntry", findings)),
            "Service" => self.services.push(envelope.kubernetes("Service", findings)),
            "EndpointSlice" => self.endpoint_slices.push(envelope.specless("EndpointSlice", findings)),
            "Endpoints" => self.endpoints.push(envelope.specless("Endpoints", findings)),
            "Pod" => self.pods.push(envelope.kubernetes("Pod", findings)),
            "" => findings.push(envelope.finding("kind", "is missing; a Kubernetes object has one".to_owned())),
            kind if !kind.ends_with("List") => findings.push(envelope.passed_over(kind)),
            _ => {}
        }
    }
}

/// An object, read as far as the kind.
struct Envelope<'a> {
    resource: usize,
    kind: String,
    metadata: ObjectMeta,
    json: &'a Json<'a>,
}

impl<'a> Envelope<'a> {
    fn read(resource: usize, json: &'a Json, findings: &mut Vec<Finding>) -> Self {
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

    fn finding(&self, path: &str, message: String) -> Finding {
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

    fn passed_over(&self, kind: &str) -> Finding {
        let meant = nearest(kind, &KINDS);
        let meant = meant.map_or(String::new(), |kind| format!("; did you mean {kind}?"));
        let message = format!("{kind} is not a kind we read; it is passed over{meant}");
        Finding {
            severity: Severity::Warning,
            ..self.finding("kind", message)
        }
    }

    /// A kind of Istio's: every version that was served means the same, and no field is passed over.
    fn istio<S: Decode + Default>(&mut self, kind: &'static str, findings: &mut Vec<Finding>) -> Object<S> {
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
    fn kubernetes<S: Decode + Default>(&mut self, kind: &'static str, findings: &mut Vec<Finding>) -> Object<S> {
        let mut spec = S::default();
        let faults = self.spec(&mut spec, Unknown::Ignore);
        self.object(kind, spec, &faults, findings)
    }

    /// A kind whose fields stand beside its metadata.
    fn specless<S: Decode + Default>(&mut self, kind: &'static str, findings: &mut Vec<Finding>) -> Object<S> {
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
