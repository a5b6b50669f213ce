//! What rules ask for that nothing here can give: it takes Istio, or Kubernetes, or a connection that was meant for someone else.

use crate::config::Object;
use crate::config::destination_rule::{ClientTLSSettings, DestinationRule, LoadBalancerSettings, TrafficPolicy};
use crate::config::service_entry::ServiceEntry;
use crate::finding::{Finding, Severity, Sort};

use super::Manifests;
use super::callers::Callers;

/// A setting that is passed over.
const UNSERVED: &str = "SWY0203";

/// A finding for each of them.
pub(super) fn findings(manifests: &Manifests, callers: &Callers) -> Vec<Finding> {
    let resources = &manifests.config.resources;
    let rules = resources
        .destination_rules
        .iter()
        .flat_map(|rule| of_rule(rule, callers));
    rules
        .chain(resources.service_entries.iter().filter_map(of_entry))
        .collect()
}

fn of_rule(rule: &Object<DestinationRule>, callers: &Callers) -> Vec<Finding> {
    let mut said = Vec::new();
    let mut policy = |at: &str, policy: &TrafficPolicy| {
        let blocks = [(at.to_owned(), &policy.load_balancer, &policy.tls)].into_iter();
        let ports = policy.port_level_settings.iter().enumerate();
        let ports = ports.map(|(index, port)| {
            (
                format!("{at}.portLevelSettings[{index}]"),
                &port.load_balancer,
                &port.tls,
            )
        });
        for (at, load_balancer, tls) in blocks.chain(ports) {
            said.extend(
                load_balancer
                    .iter()
                    .flat_map(|settings| of_load_balancer(&at, settings)),
            );
            said.extend(tls.iter().filter_map(|settings| of_tls(&at, settings, callers)));
        }
        if policy.tunnel.is_some() {
            let message = "is for routes of TCP and TLS, which are not served here; HTTP goes without a tunnel";
            said.push((format!("{at}.tunnel"), message.to_owned()));
        }
    };
    rule.spec
        .traffic_policy
        .iter()
        .for_each(|top| policy("trafficPolicy", top));
    for (index, subset) in rule.spec.subsets.iter().enumerate() {
        let own = subset.traffic_policy.iter();
        own.for_each(|own| policy(&format!("subsets[{index}].trafficPolicy"), own));
    }
    said.into_iter()
        .map(|(path, message)| finding(rule, path, message))
        .collect()
}

fn of_load_balancer(at: &str, settings: &LoadBalancerSettings) -> Vec<(String, String)> {
    let passes = (settings.simple.as_deref() == Some("PASSTHROUGH")).then(|| {
        let message = "passes on where a connection was going, and here it was going to Envoy; the endpoint with the fewest requests is taken";
        (format!("{at}.loadBalancer.simple"), message.to_owned())
    });
    let zones = settings.zone_aware_lb_setting.is_some().then(|| {
        let message = "needs to know the callers' own cluster, which there is none of here; write localityLbSetting";
        (format!("{at}.loadBalancer.zoneAwareLbSetting"), message.to_owned())
    });
    passes.into_iter().chain(zones).collect()
}

fn of_tls(at: &str, settings: &ClientTLSSettings, callers: &Callers) -> Option<(String, String)> {
    let name = &settings.credential_name;
    match settings.mode.as_deref() {
        Some("ISTIO_MUTUAL") if callers.identity.is_none() => {
            let message =
                "needs a certificate of Istio's; requests go in plain text unless the callers file has an `identity`";
            Some((format!("{at}.tls.mode"), message.to_owned()))
        }
        Some("SIMPLE" | "MUTUAL") if !name.is_empty() && !callers.credentials.contains_key(name) => {
            let message = format!(
                "there is no Kubernetes to get the secret `{name}` from; name its files under `credentials` of the callers file"
            );
            Some((format!("{at}.tls.credentialName"), message))
        }
        _ => None,
    }
}

fn of_entry(entry: &Object<ServiceEntry>) -> Option<Finding> {
    let message = "selects workloads of a cluster, which there is none of here; list the endpoints";
    let selects = entry.spec.workload_selector.is_some();
    selects.then(|| finding(entry, "workloadSelector".to_owned(), message.to_owned()))
}

fn finding<S>(object: &Object<S>, path: String, message: String) -> Finding {
    Finding {
        severity: Severity::Warning,
        sort: Sort::Analysis,
        code: UNSERVED,
        resource: Some(object.resource),
        object: object.reference(),
        path,
        message,
        related: Vec::new(),
    }
}
