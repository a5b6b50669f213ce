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
    /// How many objects were read or passed over.
    count: usize,
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
                    let path = format!("resources[{}]", self.count);
                    findings.push(super::own(&path, FaultKind::from(error).to_string()));
                    self.count += 1;
                }
            }
            return;
        }
        let mut envelope = Envelope::read(self.count, json, findings);
        if envelope.kind.ends_with("List") {
            match json.get("items").and_then(Json::entries) {
                Some(items) => return items.iter().for_each(|item| self.push_read(item, read_whole, findings)),
                None => findings.push(envelope.finding("items", "has to be a list of Kubernetes objects".to_owned())),
            }
        }
        self.count += 1;
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
        self.count
    }

    /// Leaves room for the object at a position of another configuration, if one that can be taken over is there.
    pub(crate) fn leave_room(&mut self, other: &Resources, at: usize) -> bool {
        let to = self.count;
        let is_left = room(&other.virtual_services, at, &mut self.virtual_services, to)
            || room(&other.destination_rules, at, &mut self.destination_rules, to)
            || room(&other.gateways, at, &mut self.gateways, to)
            || room(&other.service_entries, at, &mut self.service_entries, to)
            || room(&other.services, at, &mut self.services, to);
        self.count += usize::from(is_left);
        is_left
    }

    /// Takes over objects of another configuration, each from its position there to the room that was left for it.
    pub(crate) fn adopt(&mut self, mut other: Resources, moves: &[(usize, usize)]) {
        for (at, to) in moves {
            let _ = moved(&mut other.virtual_services, *at, &mut self.virtual_services, *to)
                || moved(&mut other.destination_rules, *at, &mut self.destination_rules, *to)
                || moved(&mut other.gateways, *at, &mut self.gateways, *to)
                || moved(&mut other.service_entries, *at, &mut self.service_entries, *to)
                || moved(&mut other.services, *at, &mut self.services, *to);
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

/// Which object is at a position of the configuration.
fn found<S>(objects: &[Object<S>], at: usize) -> Option<usize> {
    objects.binary_search_by_key(&at, |object| object.resource).ok()
}

fn room<S: Default>(from: &[Object<S>], at: usize, to: &mut Vec<Object<S>>, resource: usize) -> bool {
    let is_there = found(from, at).is_some();
    if is_there {
        to.push(Object {
            resource,
            ..Object::default()
        });
    }
    is_there
}

fn moved<S>(from: &mut [Object<S>], at: usize, to: &mut [Object<S>], resource: usize) -> bool {
    let object = found(from, at).and_then(|index| from.get_mut(index));
    let room = found(to, resource).and_then(|index| to.get_mut(index));
    let Some((object, room)) = object.zip(room) else {
        return false;
    };
    std::mem::swap(object, room);
    std::mem::swap(&mut object.resource, &mut room.resource);
    true
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
