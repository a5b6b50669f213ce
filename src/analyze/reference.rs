//! Destinations that lead nowhere.
//!
//! `DestinationRuleAnalyzer` and `DestinationHostAnalyzer`, istio `pkg/config/analysis/analyzers/virtualservice`.

use std::collections::{BTreeMap, BTreeSet};

use super::{Findings, listed, suggestion};
use crate::config::layer4::RouteDestination;
use crate::config::virtual_service::{Destination, HTTPRoute, VirtualService};
use crate::config::{Config, Object};
use crate::finding::Severity;
use crate::hostname;
use crate::registry::{Registry, Service};

const NOT_FOUND: (Severity, &str) = (Severity::Error, "IST0101");
const PORT_REQUIRED: (Severity, &str) = (Severity::Error, "IST0112");

/// What destinations may lead to.
pub(super) struct Destinations<'a> {
    domain: &'a str,
    registry: &'a Registry,
    knows_services: bool,
    /// By the rule's host, in full.
    subsets: BTreeMap<String, BTreeSet<&'a str>>,
}

/// A rule's destinations and mirrors, each with its path.
pub(super) fn destinations(http: usize, rule: &HTTPRoute) -> impl Iterator<Item = (String, &Destination)> {
    let routes = rule.route.iter().enumerate();
    let routes = routes.filter_map(move |(index, route)| {
        Some((
            format!("http[{http}].route[{index}].destination"),
            route.destination.as_ref()?,
        ))
    });
    routes.chain(mirrors(http, rule))
}

/// A rule's mirrors, each with its path.
pub(super) fn mirrors(http: usize, rule: &HTTPRoute) -> impl Iterator<Item = (String, &Destination)> {
    let single = rule
        .mirror
        .iter()
        .map(move |mirror| (format!("http[{http}].mirror"), mirror));
    let several = rule.mirrors.iter().enumerate();
    single.chain(several.filter_map(move |(index, mirror)| {
        Some((
            format!("http[{http}].mirrors[{index}].destination"),
            mirror.destination.as_ref()?,
        ))
    }))
}

fn layer4(rule: String, routes: &[RouteDestination]) -> impl Iterator<Item = (String, &Destination)> {
    let routes = routes.iter().enumerate();
    routes.filter_map(move |(index, route)| {
        Some((
            format!("{rule}.route[{index}].destination"),
            route.destination.as_ref()?,
        ))
    })
}

impl<'a> Destinations<'a> {
    pub fn new(config: &'a Config, registry: &'a Registry) -> Self {
        let domain = config.proxy.domain.as_str();
        let mut subsets: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for object in &config.resources.destination_rules {
            let host = hostname::resolve(&object.spec.host, &object.metadata.namespace, domain);
            let names = object.spec.subsets.iter().map(|subset| subset.name.as_str());
            subsets.entry(host).or_default().extend(names);
        }
        Destinations {
            domain,
            registry,
            knows_services: registry.services().next().is_some(),
            subsets,
        }
    }

    pub fn check(&self, object: &Object<VirtualService>, findings: &mut Findings) {
        let spec = &object.spec;
        let http = spec.http.iter().enumerate();
        let http = http.flat_map(|(index, rule)| destinations(index, rule));
        let tls = spec.tls.iter().enumerate();
        let tls = tls.flat_map(|(index, rule)| layer4(format!("tls[{index}]"), &rule.route));
        let tcp = spec.tcp.iter().enumerate();
        let tcp = tcp.flat_map(|(index, rule)| layer4(format!("tcp[{index}]"), &rule.route));
        for (path, destination) in http.chain(tls).chain(tcp) {
            let host = hostname::resolve(&destination.host, &object.metadata.namespace, self.domain);
            self.subset(object, &path, destination, &host, findings);
            self.service(object, &path, destination, &host, findings);
        }
    }

    fn subset(
        &self,
        object: &Object<VirtualService>,
        path: &str,
        destination: &Destination,
        host: &str,
        findings: &mut Findings,
    ) {
        let Destination {
            host: written, subset, ..
        } = destination;
        let rules = || {
            self.subsets
                .iter()
                .filter(|(pattern, _)| hostname::covers(pattern, host))
        };
        let known: BTreeSet<&str> = rules().flat_map(|(_, names)| names.iter().copied()).collect();
        if subset.is_empty() || known.contains(subset.as_str()) {
            return;
        }
        let reason = if rules().next().is_none() {
            format!("there is no DestinationRule for {written}")
        } else if known.is_empty() {
            format!("the DestinationRule for {written} has no subsets")
        } else if known.len() < 7 {
            let known: Vec<String> = known.iter().map(|name| (*name).to_owned()).collect();
            format!("{written} has {}", listed(&known))
        } else {
            format!("{written} has {} others{}", known.len(), suggestion(subset, known))
        };
        let message = format!("no subset {subset}: {reason}; {}", lost(path));
        findings.add(object, NOT_FOUND, format!("{path}.subset"), message);
    }

    /// Of services nothing can be said where none is known.
    fn service(
        &self,
        object: &Object<VirtualService>,
        path: &str,
        destination: &Destination,
        host: &str,
        findings: &mut Findings,
    ) {
        if !self.knows_services || destination.host.is_empty() {
            return;
        }
        let namespace = object.metadata.namespace.as_str();
        let Some(service) = service(self.registry, host, namespace) else {
            let names = self.registry.visible_from(namespace).flat_map(|service| {
                let short = hostname::service(&service.hostname, self.domain).filter(|(_, home)| *home == namespace);
                [Some(service.hostname.as_str()), short.map(|(name, _)| name)]
            });
            let near = suggestion(&destination.host, names.flatten());
            let message = format!("nobody serves {host}{near}; {}", lost(path));
            findings.add(object, NOT_FOUND, format!("{path}.host"), message);
            return;
        };
        let numbers: Vec<String> = service.ports.iter().map(|port| port.number.to_string()).collect();
        match &destination.port {
            None if numbers.len() > 1 => {
                let message = format!("{host} has the ports {}; name one", listed(&numbers));
                findings.add(object, PORT_REQUIRED, path, message);
            }
            Some(port) if !numbers.contains(&port.number.to_string()) && !numbers.is_empty() => {
                let plural = if numbers.len() == 1 { "port" } else { "ports" };
                let message = format!(
                    "{host} has no port {}, but the {plural} {}",
                    port.number,
                    listed(&numbers)
                );
                findings.add(object, NOT_FOUND, format!("{path}.port.number"), message);
            }
            _ => {}
        }
    }
}

/// What becomes of what goes to a destination that is not there.
fn lost(path: &str) -> &'static str {
    if path.contains("].mirror") {
        "copies for it get lost"
    } else {
        "requests that come here get 503"
    }
}

/// The service of a name, or the wildcard that covers it, as a namespace sees it.
pub(super) fn service<'r>(registry: &'r Registry, host: &str, namespace: &str) -> Option<&'r Service> {
    let visible = |service: &&Service| service.is_visible_from(namespace);
    registry.service(host).filter(visible).or_else(|| {
        let covering =
            |service: &&Service| service.hostname.starts_with('*') && hostname::covers(&service.hostname, host);
        registry
            .services()
            .find(|service| covering(service) && visible(service))
    })
}
