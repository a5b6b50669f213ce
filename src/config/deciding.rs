//! What decides over requests, without what only clusters are made of: endpoints, and of policies all but what is hashed.

use std::collections::BTreeMap;

use super::Resources;
use super::destination_rule::{DestinationRule, LoadBalancerSettings, PortTrafficPolicy, TrafficPolicy};
use super::service_entry::ServiceEntry;

impl Resources {
    /// Leaves out what no route depends on.
    pub(crate) fn leave_out_clusters(&mut self) {
        self.service_entries
            .iter_mut()
            .for_each(|object| object.spec.leave_out_clusters());
        self.destination_rules
            .iter_mut()
            .for_each(|object| object.spec.leave_out_clusters());
        self.endpoint_slices = Vec::new();
        self.endpoints = Vec::new();
        self.pods = Vec::new();
    }
}

impl ServiceEntry {
    pub(super) fn leave_out_clusters(&mut self) {
        self.endpoints = Vec::new();
    }
}

impl DestinationRule {
    /// Whether any request's endpoint is chosen by a hash.
    pub(crate) fn hashes(&self) -> bool {
        let subsets = self.subsets.iter();
        let policies = subsets
            .map(|subset| &subset.traffic_policy)
            .chain([&self.traffic_policy]);
        policies.flatten().any(|policy| policy.hashes())
    }

    pub(super) fn leave_out_clusters(&mut self) {
        let subsets = self.subsets.iter_mut();
        let own = subsets.filter_map(|subset| {
            subset.labels = BTreeMap::new();
            subset.traffic_policy.as_deref_mut()
        });
        own.chain(self.traffic_policy.as_deref_mut())
            .for_each(TrafficPolicy::leave_out_clusters);
    }
}

impl TrafficPolicy {
    fn hashes(&self) -> bool {
        let ports = self.port_level_settings.iter();
        let settings = ports.map(|entry| &entry.load_balancer).chain([&self.load_balancer]);
        settings.flatten().any(|settings| settings.consistent_hash.is_some())
    }

    fn leave_out_clusters(&mut self) {
        let hash = |settings: LoadBalancerSettings| LoadBalancerSettings {
            consistent_hash: settings.consistent_hash,
            ..LoadBalancerSettings::default()
        };
        let ports = std::mem::take(&mut self.port_level_settings).into_iter();
        *self = TrafficPolicy {
            load_balancer: self.load_balancer.take().map(hash),
            port_level_settings: ports
                .map(|entry| PortTrafficPolicy {
                    port: entry.port,
                    load_balancer: entry.load_balancer.map(hash),
                    ..PortTrafficPolicy::default()
                })
                .collect(),
            ..TrafficPolicy::default()
        };
    }
}
