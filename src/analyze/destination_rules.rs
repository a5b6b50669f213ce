//! Policies and subsets for nobody.
//!
//! `CaCertificateAnalyzer` and `PodNotSelectedAnalyzer`, istio `pkg/config/analysis/analyzers/destinationrule`; how rules of one host are
//! merged is `mergeDestinationRule`, istio `pilot/pkg/model/destination_rule.go`.

use super::{Findings, listed, name, reference, suggestion};
use crate::config::destination_rule::{ClientTLSSettings, DestinationRule};
use crate::config::{Config, Object};
use crate::finding::Severity;
use crate::hostname;
use crate::registry::Registry;

const UNVERIFIED: (Severity, &str) = (Severity::Warning, "IST0128");
const UNVERIFIED_AT_PORT: (Severity, &str) = (Severity::Warning, "IST0129");
const SELECTS_NOBODY: (Severity, &str) = (Severity::Error, "IST0173");
const UNKNOWN_HOST: (Severity, &str) = (Severity::Warning, "IST0174");
const NOT_USED: (Severity, &str) = (Severity::Warning, "SWY0104");

pub(super) fn check(config: &Config, registry: &Registry, findings: &mut Findings) {
    let domain = config.proxy.domain.as_str();
    let rules = &config.resources.destination_rules;
    for object in rules {
        tls(object, findings);
        let host = hostname::resolve(&object.spec.host, &object.metadata.namespace, domain);
        if registry.services().next().is_some() && !host.is_empty() {
            served(object, &host, registry, domain, findings);
        }
    }
    merged(rules, domain, findings);
}

fn tls(object: &Object<DestinationRule>, findings: &mut Findings) {
    let Some(policy) = &object.spec.traffic_policy else {
        return;
    };
    let unverified = |tls: &Option<ClientTLSSettings>| {
        let tls = tls.as_ref().filter(|tls| tls.ca_certificates.is_empty())?;
        tls.mode.clone().filter(|mode| mode == "SIMPLE" || mode == "MUTUAL")
    };
    let message = |mode: &str| format!("{mode} without caCertificates: whoever answers is taken for the upstream");
    if let Some(mode) = unverified(&policy.tls) {
        findings.add(object, UNVERIFIED, "trafficPolicy.tls", message(&mode));
    }
    for (index, port) in policy.port_level_settings.iter().enumerate() {
        if let Some(mode) = unverified(&port.tls) {
            let path = format!("trafficPolicy.portLevelSettings[{index}].tls");
            findings.add(object, UNVERIFIED_AT_PORT, path, message(&mode));
        }
    }
}

fn served(object: &Object<DestinationRule>, host: &str, registry: &Registry, domain: &str, findings: &mut Findings) {
    let namespace = object.metadata.namespace.as_str();
    let visible = || registry.visible_from(namespace);
    let is_wildcard_of_some =
        host.starts_with('*') && visible().any(|service| hostname::covers(host, &service.hostname));
    let service = reference::service(registry, host, namespace);
    if service.is_none() && !is_wildcard_of_some {
        let names = visible().flat_map(|service| {
            let short = hostname::service(&service.hostname, domain).filter(|(_, home)| *home == namespace);
            [Some(service.hostname.as_str()), short.map(|(name, _)| name)]
        });
        let near = suggestion(&object.spec.host, names.flatten());
        findings.add(
            object,
            UNKNOWN_HOST,
            "host",
            format!("nobody serves {host}{near}; the rule is for nothing"),
        );
        return;
    }
    let endpoints = service.map(|service| &service.endpoints[..]).unwrap_or_default();
    if endpoints.iter().all(|endpoint| endpoint.labels.is_empty()) {
        return;
    }
    for (index, subset) in object.spec.subsets.iter().enumerate() {
        if !endpoints.iter().any(|endpoint| endpoint.has_labels(&subset.labels)) {
            let labels: Vec<String> = subset
                .labels
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let message = format!(
                "no endpoint of {host} has {}; requests for the subset get 503",
                listed(&labels)
            );
            findings.add(object, SELECTS_NOBODY, format!("subsets[{index}]"), message);
        }
    }
}

/// Rules of one namespace for one host are one: the oldest policy, and of each subset the oldest.
fn merged(rules: &[Object<DestinationRule>], domain: &str, findings: &mut Findings) {
    let mut order: Vec<&Object<DestinationRule>> = rules.iter().collect();
    order.sort_by_key(|object| (&object.metadata.creation_timestamp, &object.metadata.name));
    let key = |object: &Object<DestinationRule>| {
        let namespace = object.metadata.namespace.clone();
        let host = hostname::resolve(&object.spec.host, &namespace, domain);
        let labels = object
            .spec
            .workload_selector
            .as_ref()
            .map(|selector| selector.match_labels.clone());
        (namespace, host, labels)
    };
    for (rank, object) in order.iter().enumerate() {
        let older = || order.iter().take(rank).filter(|older| key(older) == key(object));
        if let Some(first) = older().find(|older| older.spec.traffic_policy.is_some())
            && object.spec.traffic_policy.is_some()
        {
            let message = format!("is not used: {}, which is older, has the host's policy", name(first));
            findings
                .add(*object, NOT_USED, "trafficPolicy", message)
                .also(*first, "trafficPolicy", "this one is used");
        }
        for (index, subset) in object.spec.subsets.iter().enumerate() {
            let same = |older: &&&Object<DestinationRule>| {
                older.spec.subsets.iter().position(|other| other.name == subset.name)
            };
            if let Some((first, position)) = older().find_map(|older| Some((older, same(&older)?))) {
                let message = format!(
                    "is not used: {}, which is older, has the subset {}",
                    name(first),
                    subset.name
                );
                findings
                    .add(*object, NOT_USED, format!("subsets[{index}]"), message)
                    .also(*first, format!("subsets[{position}]"), "this one is used");
            }
        }
    }
}
