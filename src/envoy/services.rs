//! The clusters of all services, as the callers see them.

use std::collections::BTreeMap;

use super::Manifests;
use super::callers::Caller;
use super::cluster::{self, Cluster, Surroundings};
use super::endpoint::Nearness;
use super::transport_socket::Secrets;
use crate::config::Proxy;
use crate::destination_rule::{DestinationRules, MergedRule};
use crate::finding::{Finding, Severity, Sort};
use crate::registry::{Locality, Service};

/// Two callers go by different rules for one host.
const RULES_DIFFER: &str = "SWY0201";

/// The clusters of every service that a caller sees, by name. A cluster has one policy: that of the first caller that sees the service.
pub(super) fn clusters(
    manifests: &Manifests,
    callers: &[Caller],
    domain: &str,
    locality: &Locality,
    secrets: Secrets,
    findings: &mut Vec<Finding>,
) -> Vec<Cluster> {
    let proxies: Vec<Proxy> = callers.iter().map(|caller| caller.proxy(domain)).collect();
    let views: Vec<View> = callers
        .iter()
        .zip(&proxies)
        .map(|(caller, proxy)| View {
            caller,
            rules: DestinationRules::new(&manifests.config, proxy, &manifests.registry),
        })
        .collect();
    let mut clusters: BTreeMap<String, Cluster> = BTreeMap::new();
    for service in manifests.registry.services() {
        let aliased = service.external_name.as_deref();
        if aliased.is_some_and(|target| manifests.registry.service(target).is_some()) {
            continue;
        }
        let seen = views
            .iter()
            .filter(|view| service.is_visible_from(view.caller.namespace()));
        let mut seen = seen.map(|view| (view, view.rule(service)));
        let Some((first, rule)) = seen.next() else {
            continue;
        };
        for (other, _) in seen.filter(|(_, other)| *other != rule) {
            findings.push(rules_differ(service, first.caller, other.caller));
        }
        let near = Nearness {
            locality,
            labels: &first.caller.labels,
            setting: None,
            fails_over: false,
        };
        let from_edge = views
            .iter()
            .any(|view| view.caller.gateway && service.is_visible_from(view.caller.namespace()));
        let around = Surroundings {
            near,
            secrets,
            from_edge,
        };
        for cluster in cluster::clusters(service, rule, around) {
            clusters.entry(cluster.name.clone()).or_insert(cluster);
        }
    }
    clusters.into_values().collect()
}

/// The rules as one caller sees them.
struct View<'a> {
    caller: &'a Caller,
    rules: DestinationRules<'a>,
}

impl<'a> View<'a> {
    fn rule(&self, service: &Service) -> Option<&MergedRule<'a>> {
        let own = self.rules.rule(&service.hostname);
        own.or_else(|| self.rules.rule(service.external_name.as_deref()?))
    }
}

fn rules_differ(service: &Service, first: &Caller, other: &Caller) -> Finding {
    Finding {
        severity: Severity::Warning,
        sort: Sort::Analysis,
        code: RULES_DIFFER,
        resource: None,
        object: Default::default(),
        path: String::new(),
        message: format!(
            "{0} sees other DestinationRules for {1} than {2}, whose policy holds for both, for they share its clusters; give {0} an Envoy of its own",
            other.name, service.hostname, first.name
        ),
        related: Vec::new(),
    }
}
