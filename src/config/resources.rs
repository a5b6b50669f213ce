//! The objects of a configuration, by kind.

use super::decode::{FaultKind, Json};
use super::destination_rule::DestinationRule;
use super::gateway::Gateway;
use super::kubernetes::{EndpointSlice, Endpoints, Pod, Service};
use super::object::{Envelope, Object};
use super::service_entry::ServiceEntry;
use super::virtual_service::VirtualService;
use crate::finding::Finding;

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
    /// Whether what only clusters need is left out at once, [`leave_out_clusters`](Self::leave_out_clusters).
    pub(crate) is_for_routes: bool,
    /// Of all objects that were read or passed over.
    kinds: Vec<Kind>,
}

/// Where an object is, if it can be taken over from one configuration to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    VirtualService,
    DestinationRule,
    Gateway,
    ServiceEntry,
    Service,
    Other,
}

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
    /// Adds one object, or a list of them. An object that does not fit is added as far as it was read.
    pub(crate) fn push(&mut self, json: &Json, findings: &mut Vec<Finding>) {
        self.push_read(json, read, findings);
    }

    fn push_read(&mut self, json: &Json, read: Read, findings: &mut Vec<Finding>) {
        if let Json::Raw(text) = json {
            match read(text) {
                Ok(json) => self.push_read(&json, read, findings),
                Err(error) => {
                    let path = format!("resources[{}]", self.len());
                    findings.push(super::own(&path, FaultKind::from(error).to_string()));
                    self.kinds.push(Kind::Other);
                }
            }
            return;
        }
        let mut envelope = Envelope::read(self.len(), json, findings);
        if envelope.kind.ends_with("List") {
            match json.get("items").and_then(Json::entries) {
                Some(items) => return items.iter().for_each(|item| self.push_read(item, read_whole, findings)),
                None => findings.push(envelope.finding("items", "has to be a list of Kubernetes objects".to_owned())),
            }
        }
        self.kinds.push(Kind::of(&envelope.kind));
        match envelope.kind.as_str() {
            "VirtualService" => self.virtual_services.push(envelope.istio("VirtualService", findings)),
            "DestinationRule" => {
                let mut object = envelope.istio::<DestinationRule>("DestinationRule", findings);
                if self.is_for_routes {
                    object.spec.leave_out_clusters();
                }
                self.destination_rules.push(object);
            }
            "Gateway" => self.gateways.push(envelope.istio("Gateway", findings)),
            "ServiceEntry" => {
                let mut object = envelope.istio::<ServiceEntry>("ServiceEntry", findings);
                if self.is_for_routes {
                    object.spec.leave_out_clusters();
                }
                self.service_entries.push(object);
            }
            "Service" => self.services.push(envelope.kubernetes("Service", findings)),
            "EndpointSlice" => self.endpoint_slices.push(envelope.specless("EndpointSlice", findings)),
            "Endpoints" => self.endpoints.push(envelope.specless("Endpoints", findings)),
            "Pod" => self.pods.push(envelope.kubernetes("Pod", findings)),
            "" => findings.push(envelope.finding("kind", "is missing; a Kubernetes object has one".to_owned())),
            kind if !kind.ends_with("List") => findings.push(envelope.passed_over(kind)),
            _ => {}
        }
    }

    /// How many objects were read or passed over.
    pub(crate) fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Takes memory at once for as many objects as another configuration has.
    pub(crate) fn reserve(&mut self, other: &Resources) {
        self.virtual_services.reserve_exact(other.virtual_services.len());
        self.destination_rules.reserve_exact(other.destination_rules.len());
        self.gateways.reserve_exact(other.gateways.len());
        self.service_entries.reserve_exact(other.service_entries.len());
        self.services.reserve_exact(other.services.len());
    }

    /// Leaves room for the object at a position of another configuration, if it can be taken over.
    pub(crate) fn leave_room(&mut self, other: &Resources, at: usize) -> bool {
        let resource = self.len();
        let kind = other.kinds.get(at).copied().unwrap_or(Kind::Other);
        match kind {
            Kind::VirtualService => self.virtual_services.push(room(resource)),
            Kind::DestinationRule => self.destination_rules.push(room(resource)),
            Kind::Gateway => self.gateways.push(room(resource)),
            Kind::ServiceEntry => self.service_entries.push(room(resource)),
            Kind::Service => self.services.push(room(resource)),
            Kind::Other => return false,
        }
        self.kinds.push(kind);
        true
    }

    /// Takes over objects of another configuration, each from its position there to the room that was left for it.
    pub(crate) fn adopt(&mut self, mut other: Resources, moves: &[(usize, usize)]) {
        for (at, to) in moves {
            match self.kinds.get(*to).unwrap_or(&Kind::Other) {
                Kind::VirtualService => swap(&mut other.virtual_services, *at, &mut self.virtual_services, *to),
                Kind::DestinationRule => swap(&mut other.destination_rules, *at, &mut self.destination_rules, *to),
                Kind::Gateway => swap(&mut other.gateways, *at, &mut self.gateways, *to),
                Kind::ServiceEntry => swap(&mut other.service_entries, *at, &mut self.service_entries, *to),
                Kind::Service => swap(&mut other.services, *at, &mut self.services, *to),
                Kind::Other => {}
            }
        }
    }

    /// Leaves out the rules of VirtualServices that have hosts.
    pub(crate) fn forget_rules(&mut self) {
        let roots = self
            .virtual_services
            .iter_mut()
            .filter(|object| !object.spec.hosts.is_empty());
        roots.for_each(|object| object.spec.http = Vec::new());
    }
}

impl Kind {
    fn of(name: &str) -> Self {
        match name {
            "VirtualService" => Kind::VirtualService,
            "DestinationRule" => Kind::DestinationRule,
            "Gateway" => Kind::Gateway,
            "ServiceEntry" => Kind::ServiceEntry,
            "Service" => Kind::Service,
            _ => Kind::Other,
        }
    }
}

fn room<S: Default>(resource: usize) -> Object<S> {
    Object {
        resource,
        ..Object::default()
    }
}

/// Lets two objects at positions of their configurations change places.
fn swap<S>(from: &mut [Object<S>], at: usize, to: &mut [Object<S>], resource: usize) {
    let one = from.binary_search_by_key(&at, |object| object.resource);
    let other = to.binary_search_by_key(&resource, |object| object.resource);
    if let (Ok(one), Ok(other)) = (one, other)
        && let (Some(one), Some(other)) = (from.get_mut(one), to.get_mut(other))
    {
        std::mem::swap(one, other);
        std::mem::swap(&mut one.resource, &mut other.resource);
    }
}

type Read = for<'t> fn(&'t str) -> serde_json::Result<Json<'t>>;

/// Reads an object, all but what is long: the entries of its `spec`'s lists, or a list's items.
pub(crate) fn read(text: &str) -> serde_json::Result<Json<'_>> {
    let json = Json::skim(text, 3)?;
    match json.get("kind").and_then(Json::text) {
        Some(kind) if kind.ends_with("List") => Json::skim(text, 2),
        _ => Ok(json),
    }
}

/// Reads an object, and what is in it no deeper than `serde_json` goes: it may be a list of lists.
fn read_whole(text: &str) -> serde_json::Result<Json<'_>> {
    Json::read(text.as_bytes())
}
