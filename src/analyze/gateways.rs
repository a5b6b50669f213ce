//! Gateways that are not there, that do not serve a host, or that get in each other's way.
//!
//! `GatewayAnalyzer` and `ConflictingGatewayAnalyzer`, istio `pkg/config/analysis/analyzers`.

use super::{Findings, name, suggestion};
use crate::config::gateway::{Gateway, Server};
use crate::config::virtual_service::VirtualService;
use crate::config::{Config, Object};
use crate::finding::Severity;
use crate::hostname;
use crate::route::{gateway_name, intersection};

const NOT_FOUND: (Severity, &str) = (Severity::Error, "IST0101");
const HOST_NOT_SERVED: (Severity, &str) = (Severity::Warning, "IST0132");
const CONFLICT: (Severity, &str) = (Severity::Error, "IST0145");

/// The gateways that a VirtualService names.
pub(super) fn named(object: &Object<VirtualService>, config: &Config, findings: &mut Findings) {
    let namespace = object.metadata.namespace.as_str();
    let gateways = &config.resources.gateways;
    for (index, written) in object.spec.gateways.iter().enumerate() {
        if written == "mesh" {
            continue;
        }
        let path = format!("gateways[{index}]");
        let full = gateway_name(written, namespace);
        let Some(gateway) = gateways.iter().find(|gateway| name(gateway) == full) else {
            let names: Vec<String> = gateways.iter().map(name).collect();
            let near = suggestion(&full, names.iter().map(String::as_str));
            findings.add(object, NOT_FOUND, path, format!("there is no Gateway {full}{near}"));
            continue;
        };
        for (position, host) in object.spec.hosts.iter().enumerate() {
            let full = hostname::resolve(host, namespace, &config.proxy.domain);
            let servers = gateway.spec.servers.iter();
            let mut served = servers.flat_map(|server| hosts(server, gateway, &config.proxy.domain));
            if !served
                .any(|(from, pattern)| (from == "*" || from == namespace) && intersection(&pattern, &full).is_some())
            {
                let message = format!(
                    "no server of Gateway {} has the host {host} for this namespace",
                    name(gateway)
                );
                findings
                    .add(object, HOST_NOT_SERVED, format!("hosts[{position}]"), message)
                    .also(gateway, "servers", "these are its servers");
            }
        }
    }
}

/// A server's hosts in full, each with the namespace whose VirtualServices it takes, `*` for any.
fn hosts<'g>(
    server: &'g Server,
    gateway: &'g Object<Gateway>,
    domain: &str,
) -> impl Iterator<Item = (&'g str, String)> {
    let namespace = gateway.metadata.namespace.as_str();
    server.hosts.iter().map(move |host| {
        let (from, host) = host.split_once('/').unwrap_or(("*", host));
        let from = if from == "." { namespace } else { from };
        (from, hostname::resolve(host, namespace, domain))
    })
}

/// Gateways of the same workloads that have a port and a host in common.
pub(super) fn conflicts(config: &Config, findings: &mut Findings) {
    let servers: Vec<(&Object<Gateway>, usize, &Server)> = config
        .resources
        .gateways
        .iter()
        .flat_map(|gateway| {
            let servers = gateway.spec.servers.iter().enumerate();
            servers.map(move |(index, server)| (gateway, index, server))
        })
        .collect();
    let domain = &config.proxy.domain;
    for (number, (gateway, index, server)) in servers.iter().enumerate() {
        let others = servers.iter().enumerate().filter(|(other, _)| *other != number);
        for (_, (other, other_index, other_server)) in others {
            let same_port =
                server.port.as_ref().map(|port| port.number) == other_server.port.as_ref().map(|port| port.number);
            if gateway.resource == other.resource || gateway.spec.selector != other.spec.selector || !same_port {
                continue;
            }
            let shared = hosts(server, gateway, domain).find_map(|(from, host)| {
                let mut theirs = hosts(other_server, other, domain);
                let meets = |(their_from, theirs): (&str, String)| {
                    let namespaces = from == "*" || their_from == "*" || from == their_from;
                    intersection(&host, &theirs).filter(|_| namespaces)
                };
                theirs.find_map(meets)
            });
            if let Some(host) = shared {
                let number = server.port.as_ref().map_or(0, |port| port.number);
                let message = format!(
                    "Gateway {} has port {number} of the same workloads and the host {host} as well",
                    name(other)
                );
                findings
                    .add(*gateway, CONFLICT, format!("servers[{index}]"), message)
                    .also(*other, format!("servers[{other_index}]"), "the other server");
            }
        }
    }
}
