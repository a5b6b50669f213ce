//! `envoy.config.endpoint.v3.ClusterLoadAssignment`: the endpoints of a cluster by their places.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::{Value, json};

use super::locality;
use super::message::message;
use crate::config::destination_rule::LocalityLoadBalancerSetting;
use crate::registry::{Endpoint, Locality, Service, ServicePort};

/// What the places of endpoints mean to whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nearness<'a> {
    /// Where the machine is.
    pub locality: &'a Locality,
    /// The callers' labels.
    pub labels: &'a BTreeMap<String, String>,
    /// The rule's setting; none where it is turned off or nothing is written.
    pub setting: Option<&'a LocalityLoadBalancerSetting>,
    /// Whether endpoints are left out at all: without that Envoy never turns to those farther away.
    pub fails_over: bool,
}

impl Nearness<'_> {
    /// Without anything that depends on places where the rule turns that off.
    pub fn unless_disabled(self) -> Self {
        let disabled = self.setting.is_some_and(|setting| setting.enabled == Some(false));
        Nearness {
            setting: self.setting.filter(|_| !disabled),
            fails_over: self.fails_over && !disabled,
            ..self
        }
    }
}

/// Endpoints of one place and one priority.
#[derive(Debug, Clone)]
pub(super) struct Group<'a> {
    pub locality: &'a Locality,
    pub priority: u32,
    pub weight: u32,
    pub endpoints: Vec<&'a Endpoint>,
}

/// The endpoints of a service that have the port and the labels.
pub(super) fn select<'a>(
    service: &'a Service,
    port: &ServicePort,
    labels: Option<&BTreeMap<String, String>>,
) -> Vec<&'a Endpoint> {
    let serves =
        |endpoint: &&Endpoint| endpoint.port(port).is_some() && labels.is_none_or(|labels| endpoint.has_labels(labels));
    service.endpoints.iter().filter(serves).collect()
}

/// Whether an address has to be looked up.
pub(super) fn is_name(endpoint: &Endpoint) -> bool {
    endpoint.address.parse::<IpAddr>().is_err() && !endpoint.address.starts_with("unix://")
}

/// The endpoints of a cluster.
pub(super) fn load_assignment(cluster: &str, endpoints: &[&Endpoint], port: &ServicePort, near: Nearness) -> Value {
    let groups = locality::prioritise(group(endpoints), near);
    message(json!({
        "cluster_name": cluster,
        "endpoints": groups.iter().map(|group| locality_lb_endpoints(group, port)).collect::<Vec<_>>(),
    }))
}

/// In the order of the places; those of one place as they were written.
fn group<'a>(endpoints: &[&'a Endpoint]) -> Vec<Group<'a>> {
    let mut places: BTreeMap<&Locality, Vec<&Endpoint>> = BTreeMap::new();
    for endpoint in endpoints {
        places.entry(&endpoint.locality).or_default().push(endpoint);
    }
    let group = |(locality, endpoints): (_, Vec<&'a Endpoint>)| Group {
        locality,
        priority: 0,
        weight: weight(&endpoints),
        endpoints,
    };
    places.into_iter().map(group).collect()
}

/// The sum of the endpoints' weights.
pub(super) fn weight(endpoints: &[&Endpoint]) -> u32 {
    endpoints
        .iter()
        .fold(0, |sum, endpoint| sum.saturating_add(endpoint.weight))
}

fn locality_lb_endpoints(group: &Group, port: &ServicePort) -> Value {
    let part = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let Locality { region, zone, sub_zone } = group.locality;
    json!({
        "locality": {"region": part(region), "zone": part(zone), "sub_zone": part(sub_zone)},
        "priority": (group.priority > 0).then_some(group.priority),
        "load_balancing_weight": (group.weight > 0).then_some(group.weight),
        "lb_endpoints": group.endpoints.iter().map(|endpoint| lb_endpoint(endpoint, port)).collect::<Vec<_>>(),
    })
}

fn lb_endpoint(endpoint: &Endpoint, port: &ServicePort) -> Value {
    let address = match endpoint.address.strip_prefix("unix://") {
        Some(path) => json!({"pipe": {"path": path}}),
        None => json!({"socket_address": {"address": endpoint.address, "port_value": endpoint.port(port)}}),
    };
    json!({"endpoint": {"address": address}, "load_balancing_weight": endpoint.weight})
}
