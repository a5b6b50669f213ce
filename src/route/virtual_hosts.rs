//! Which host answers to which names.
//!
//! `BuildSidecarOutboundVirtualHosts` and `buildGatewayHTTPRouteConfig`, istio `pilot/pkg/networking/core`.

use std::sync::Arc;

use hashbrown::HashSet;

use crate::action::cluster_name;
use crate::config::Config;
use crate::hostname;
use crate::registry::Service;

use super::delegate::is_exported;
use super::domains::Domains;
use super::gateway;
use super::rule::{Compiled, Listener};
use super::{RouteTable, Routes, VirtualHost};

/// The hosts of a listener: a sidecar's where it serves `mesh`, else its gateways'.
pub(super) fn build(
    config: &Config,
    listener: &Listener,
    compiled: &[Compiled],
    before: &[Arc<Domains>],
) -> RouteTable {
    let visible: Vec<&Compiled> = compiled
        .iter()
        .filter(|compiled| is_visible(compiled, listener))
        .collect();
    if config.proxy.gateways.iter().any(|gateway| gateway == "mesh") {
        RouteTable::new(sidecar(listener, &visible), Some(listener.proxy), before)
    } else {
        RouteTable::new(gateway::hosts(config, listener, &visible), None, before)
    }
}

fn is_visible(compiled: &Compiled, listener: &Listener) -> bool {
    let object = compiled.virtual_service.object;
    let namespace = &object.metadata.namespace;
    let everywhere = object.spec.gateways.is_empty() && listener.serves("mesh", namespace);
    is_exported(&object.spec.export_to, namespace, &listener.proxy.namespace)
        && (everywhere
            || object
                .spec
                .gateways
                .iter()
                .any(|gateway| listener.serves(gateway, namespace)))
}

/// One VirtualService a host: the oldest exact one, else that of the longest wildcard.
fn sidecar(listener: &Listener, visible: &[&Compiled]) -> Vec<VirtualHost> {
    let mut seen = HashSet::with_capacity(visible.len());
    let mut owned = Vec::with_capacity(visible.len());
    for compiled in visible {
        let object = compiled.virtual_service.object;
        for host in &object.spec.hosts {
            let host = hostname::resolve(host, &object.metadata.namespace, &listener.proxy.domain);
            if seen.insert(host.clone()) {
                owned.push((host, compiled));
            }
        }
    }
    let mut hosts = Vec::with_capacity(owned.len());
    for (host, compiled) in &owned {
        let known = listener.registry.service(host);
        if host.starts_with('*') || known.is_none_or(|service| listener.port.is_none_or(|port| service.has_port(port)))
        {
            hosts.push(host_of(listener, host, known, compiled.routes.clone()));
        }
    }
    let wildcards: Vec<_> = owned.iter().filter(|(host, _)| host.starts_with('*')).collect();
    for service in listener.registry.visible_from(&listener.proxy.namespace) {
        let host = service.hostname.as_str();
        if seen.contains(host) || !listener.port.is_some_and(|port| service.has_port(port)) {
            continue;
        }
        let wildcard = wildcards.iter().filter(|(pattern, _)| hostname::covers(pattern, host));
        let owner = wildcard.max_by_key(|(pattern, _)| pattern.len());
        let routes = owner.and_then(|(_, compiled)| compiled.routes.clone());
        hosts.push(host_of(listener, host, Some(service), routes));
    }
    hosts
}

fn host_of(listener: &Listener, host: &str, known: Option<&Service>, routes: Option<Arc<Routes>>) -> VirtualHost {
    let default_cluster = |(port, service): (u16, &Service)| cluster_name(port, "", service.target()).into();
    VirtualHost {
        name: host.into(),
        routes,
        default_cluster: listener.port.zip(known).map(default_cluster),
        https_redirect: false,
    }
}
