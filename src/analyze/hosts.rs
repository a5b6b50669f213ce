//! VirtualServices that claim one host.
//!
//! `ConflictingMeshGatewayHostsAnalyzer`, istio `pkg/config/analysis/analyzers/virtualservice`.

use std::collections::BTreeMap;

use super::{Findings, is_for_sidecars, name};
use crate::config::virtual_service::VirtualService;
use crate::config::{Config, Object};
use crate::finding::Severity;
use crate::hostname;

const CONFLICT: (Severity, &str) = (Severity::Error, "IST0109");

/// Sidecars take one VirtualService for a host: the oldest.
pub(super) fn shared(config: &Config, findings: &mut Findings) {
    let mut claims: BTreeMap<String, Vec<(&Object<VirtualService>, usize)>> = BTreeMap::new();
    for object in &config.resources.virtual_services {
        if !is_for_sidecars(&object.spec) {
            continue;
        }
        for (index, host) in object.spec.hosts.iter().enumerate() {
            let host = hostname::resolve(host, &object.metadata.namespace, &config.proxy.domain);
            let claims = claims.entry(host).or_default();
            if !claims.iter().any(|(other, _)| other.resource == object.resource) {
                claims.push((object, index));
            }
        }
    }
    for (host, mut claims) in claims {
        claims.sort_by_key(|(object, _)| {
            let metadata = &object.metadata;
            (&metadata.creation_timestamp, &metadata.name, &metadata.namespace)
        });
        for (rank, (object, index)) in claims.iter().enumerate() {
            let mut others = claims.iter().enumerate().filter(|(other, _)| *other != rank);
            let rival = others.find(|(_, (other, _))| meet(object, other));
            let Some((other_rank, (other, other_index))) = rival else {
                continue;
            };
            let message = if other_rank < rank {
                format!(
                    "{} has {host} already; sidecars take the oldest, and nothing of this one for the host: merge them",
                    name(other)
                )
            } else {
                format!(
                    "{} has {host} as well; sidecars take the oldest, which is this one: merge them",
                    name(other)
                )
            };
            findings
                .add(*object, CONFLICT, format!("hosts[{index}]"), message)
                .also(*other, format!("hosts[{other_index}]"), "the host is here too");
        }
    }
}

/// Whether some namespace sees both.
fn meet(a: &Object<VirtualService>, b: &Object<VirtualService>) -> bool {
    let namespaces = |object: &Object<VirtualService>| -> Option<Vec<String>> {
        let exports = &object.spec.export_to;
        if exports.is_empty() || exports.iter().any(|export| export == "*") {
            return None;
        }
        let own = |export: &String| {
            if export == "." {
                object.metadata.namespace.clone()
            } else {
                export.clone()
            }
        };
        Some(exports.iter().map(own).collect())
    };
    match (namespaces(a), namespaces(b)) {
        (Some(a), Some(b)) => a.iter().any(|namespace| b.contains(namespace)),
        _ => true,
    }
}
