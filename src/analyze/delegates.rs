//! Rules that hand on to other VirtualServices, and those that nobody hands on to.

use std::collections::BTreeSet;

use super::{Findings, name, suggestion};
use crate::config::virtual_service::{Delegate, VirtualService};
use crate::config::{Config, Object};
use crate::finding::Severity;
use crate::route::is_exported;

const NOT_FOUND: (Severity, &str) = (Severity::Error, "SWY0102");
const NOBODYS: (Severity, &str) = (Severity::Info, "SWY0103");

pub(super) fn check(config: &Config, findings: &mut Findings) {
    let objects = &config.resources.virtual_services;
    let leaves: Vec<&Object<VirtualService>> = objects.iter().filter(|object| object.spec.hosts.is_empty()).collect();
    let mut used = BTreeSet::new();
    for root in objects.iter().filter(|object| !object.spec.hosts.is_empty()) {
        for (http, rule) in root.spec.http.iter().enumerate() {
            let Some(delegate) = &rule.delegate else {
                continue;
            };
            let full = full_name(delegate, root);
            let path = format!("http[{http}].delegate");
            match leaves.iter().find(|leaf| name(leaf) == full) {
                Some(leaf) if is_exported(&leaf.spec.export_to, &leaf.metadata.namespace, &root.metadata.namespace) => {
                    used.insert(leaf.resource);
                }
                Some(leaf) => {
                    used.insert(leaf.resource);
                    let message = format!(
                        "{full} is not exported to {}; the rule is left out",
                        root.metadata.namespace
                    );
                    findings
                        .add(root, NOT_FOUND, path, message)
                        .also(*leaf, "exportTo", "it is exported to these");
                }
                None => {
                    let names: Vec<String> = leaves.iter().map(|leaf| name(leaf)).collect();
                    let with_hosts = objects.iter().any(|object| name(object) == full);
                    let reason = if with_hosts {
                        format!("VirtualService {full} has hosts of its own, and can not be delegated to")
                    } else {
                        let near = suggestion(&full, names.iter().map(String::as_str));
                        format!("there is no VirtualService {full}{near}")
                    };
                    findings.add(root, NOT_FOUND, path, format!("{reason}; the rule is left out"));
                }
            }
        }
    }
    for leaf in leaves.iter().filter(|leaf| !used.contains(&leaf.resource)) {
        let message = "has no hosts, and no other VirtualService delegates to it: nothing uses its rules";
        findings.add(*leaf, NOBODYS, "", message);
    }
}

fn full_name(delegate: &Delegate, root: &Object<VirtualService>) -> String {
    let own = &root.metadata.namespace;
    let namespace = if delegate.namespace.is_empty() {
        own
    } else {
        &delegate.namespace
    };
    format!("{namespace}/{}", delegate.name)
}
