//! Where services are served: from ServiceEntries, EndpointSlices and Endpoints, with the labels that subsets select.

use std::collections::BTreeMap;

use super::{ServicePort, port_number};
use crate::config::Resources;
use crate::config::kubernetes::{self, EndpointPort, ObjectReference};
use crate::config::service_entry::WorkloadEntry;

/// An address that serves a service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// An IP address, a name, or `unix://` and a path.
    pub address: String,
    /// Its ports by the service port's name.
    pub ports: BTreeMap<String, u16>,
    /// What subsets select.
    pub labels: BTreeMap<String, String>,
    /// Where it is.
    pub locality: Locality,
    /// Its share among the others; 1 unless said.
    pub weight: u32,
    /// Whether one that does not name a port lacks it, as in Kubernetes; a ServiceEntry's has the service's own.
    pub is_explicit: bool,
}

/// A place; a part is empty where it is not said.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Locality {
    /// The widest.
    pub region: String,
    /// In the region.
    pub zone: String,
    /// In the zone.
    pub sub_zone: String,
}

impl Locality {
    /// Reads `region/zone/sub-zone`, of which the end may be missing.
    pub fn parse(text: &str) -> Self {
        let mut parts = text.splitn(3, '/').map(str::to_owned);
        let mut part = || parts.next().unwrap_or_default();
        Locality {
            region: part(),
            zone: part(),
            sub_zone: part(),
        }
    }
}

impl Endpoint {
    /// An endpoint of which only the address is known.
    pub(super) fn of_address(address: &str) -> Self {
        Endpoint {
            address: address.to_owned(),
            weight: 1,
            ..Endpoint::default()
        }
    }

    pub(super) fn entry(entry: &WorkloadEntry) -> Self {
        let ports = entry.ports.iter();
        Endpoint {
            ports: named(ports.map(|(name, port)| (name, *port))),
            labels: entry.labels.clone(),
            locality: Locality::parse(&entry.locality),
            weight: u32::try_from(entry.weight).unwrap_or_default().max(1),
            ..Endpoint::of_address(&entry.address)
        }
    }

    /// The port behind a service's port, if it has one.
    pub fn port(&self, port: &ServicePort) -> Option<u16> {
        let own = self.ports.get(&port.name).copied();
        own.or_else(|| (!self.is_explicit).then(|| port.target.unwrap_or(port.number)))
    }

    /// Whether it has all of these labels.
    pub fn has_labels(&self, labels: &BTreeMap<String, String>) -> bool {
        labels.iter().all(|(name, value)| self.labels.get(name) == Some(value))
    }
}

/// What Kubernetes knows of the workloads behind its services.
pub(super) struct Workloads<'a> {
    resources: &'a Resources,
    /// By namespace and name.
    pods: BTreeMap<(&'a str, &'a str), &'a BTreeMap<String, String>>,
}

/// The label by which an EndpointSlice names its service.
const SERVICE_NAME: &str = "kubernetes.io/service-name";

impl<'a> Workloads<'a> {
    pub fn new(resources: &'a Resources) -> Self {
        let mut pods = BTreeMap::new();
        for pod in &resources.pods {
            let metadata = &pod.metadata;
            pods.insert((metadata.namespace.as_str(), metadata.name.as_str()), &metadata.labels);
        }
        Workloads { resources, pods }
    }

    /// The ready endpoints of a service: of its slices, or where it has none, of the Endpoints that bear its name.
    pub fn endpoints(&self, namespace: &str, service: &str) -> Vec<Endpoint> {
        let slices = self.resources.endpoint_slices.iter().filter(|slice| {
            let metadata = &slice.metadata;
            metadata.namespace == namespace && metadata.labels.get(SERVICE_NAME).is_some_and(|name| name == service)
        });
        let slices: Vec<_> = slices.map(|slice| &slice.spec).collect();
        if !slices.is_empty() {
            return slices
                .iter()
                .flat_map(|slice| self.of_slice(namespace, slice))
                .collect();
        }
        let named = self.resources.endpoints.iter().filter(|endpoints| {
            let metadata = &endpoints.metadata;
            metadata.namespace == namespace && metadata.name == service
        });
        let subsets = named.flat_map(|endpoints| &endpoints.spec.subsets);
        subsets.flat_map(|subset| self.of_subset(namespace, subset)).collect()
    }

    fn of_slice(&self, namespace: &str, slice: &kubernetes::EndpointSlice) -> Vec<Endpoint> {
        let is_ready = |endpoint: &&kubernetes::Endpoint| {
            let conditions = endpoint.conditions.as_ref();
            conditions.and_then(|conditions| conditions.ready).unwrap_or(true)
        };
        let ready = slice.endpoints.iter().filter(is_ready);
        let endpoints = ready.flat_map(|endpoint| {
            let one = move |address: &String| Endpoint {
                labels: self.labels(namespace, &endpoint.labels, endpoint.target_ref.as_ref()),
                locality: Locality {
                    zone: endpoint.zone.clone(),
                    ..Locality::default()
                },
                ..explicit(address, &slice.ports)
            };
            endpoint.addresses.iter().map(one)
        });
        endpoints.collect()
    }

    fn of_subset(&self, namespace: &str, subset: &kubernetes::EndpointSubset) -> Vec<Endpoint> {
        let one = |address: &kubernetes::EndpointAddress| Endpoint {
            labels: self.labels(namespace, &address.labels, address.target_ref.as_ref()),
            ..explicit(&address.ip, &subset.ports)
        };
        subset.addresses.iter().map(one).collect()
    }

    /// The labels written beside an address, or those of the pod behind it.
    fn labels(
        &self,
        namespace: &str,
        written: &BTreeMap<String, String>,
        target: Option<&ObjectReference>,
    ) -> BTreeMap<String, String> {
        if !written.is_empty() {
            return written.clone();
        }
        let pod = target.filter(|target| target.kind == "Pod").and_then(|target| {
            let namespace = if target.namespace.is_empty() {
                namespace
            } else {
                &target.namespace
            };
            self.pods.get(&(namespace, target.name.as_str()))
        });
        pod.map(|labels| (*labels).clone()).unwrap_or_default()
    }
}

/// Those of the ports that are numbers of ports.
fn named<'n>(ports: impl Iterator<Item = (&'n String, i64)>) -> BTreeMap<String, u16> {
    let mut named = BTreeMap::new();
    named.extend(ports.filter_map(|(name, port)| Some((name.clone(), port_number(port)?))));
    named
}

fn explicit(address: &str, ports: &[EndpointPort]) -> Endpoint {
    Endpoint {
        ports: named(ports.iter().map(|port| (&port.name, port.port))),
        is_explicit: true,
        ..Endpoint::of_address(address)
    }
}
