//! Which listeners there are, and what each stands for.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde_json::{Value, json};

use super::access_log::access_log;
use super::callers::{Caller, Callers, refused};
use super::listener::{Address, Listener, TlsServer};
use super::route_configuration::route_configuration;
use super::transport_socket::{self, Secrets};
use super::{Manifests, plugin};
use crate::action::hash_policy::HashPolicy;
use crate::config::Object;
use crate::config::gateway::{Gateway, Server};
use crate::destination_rule::DestinationRules;
use crate::finding::{Finding, Severity, Sort};
use crate::plugin::Plugin;
use crate::plugin::callbacks::Callbacks;
use crate::registry::protocol::Protocol;

/// A server of a Gateway that there will be no listener for.
const NOT_SERVED: &str = "SWY0202";

/// A listener with its routes and its filter's configuration, wherever these will lie.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Planned {
    pub name: String,
    pub plugin: String,
    pub callbacks: Callbacks,
    pub routes: Value,
    address: Address,
    is_edge: bool,
    grpc_web: bool,
    tls: Vec<TlsServer>,
}

impl Planned {
    /// The listener, told where to find its routes and its filter.
    pub fn listener(&self, routes: (&'static str, Value), filter: Option<Value>, callers: &Callers) -> Listener {
        Listener {
            name: self.name.clone(),
            address: self.address.clone(),
            is_edge: self.is_edge,
            grpc_web: self.grpc_web,
            tls: self.tls.clone(),
            routes,
            filter,
            access_log: access_log(&callers.access_log, callers.options.contains_key("explainHeader")),
        }
    }
}

/// A place to listen at, before anything is known of its routes.
struct Stand<'a> {
    caller: &'a Caller,
    /// The service's port, or the Gateway's.
    port: u16,
    address: Address,
    /// Of a gateway, those it serves.
    gateways: Option<Vec<String>>,
    /// Whether what it carries is said to be gRPC for browsers.
    grpc_web: bool,
    tls: Vec<TlsServer>,
}

/// The listeners of all callers. Two at one address are refused, and one where a service listens itself.
pub(super) fn plan(
    manifests: &Manifests,
    callers: &Callers,
    all: &[Caller],
    secrets: Secrets,
    findings: &mut Vec<Finding>,
) -> Result<Vec<Planned>, Vec<Finding>> {
    let mut stands = Vec::new();
    for caller in all {
        match caller.gateway {
            true => stands.extend(gateway(manifests, caller, secrets, findings)),
            false => stands.extend(sidecar(manifests, caller)),
        }
    }
    let mut refusals = conflicts(manifests, &stands);
    let mut planned = Vec::new();
    for stand in stands {
        match stand.plan(manifests, callers) {
            Ok(listener) => planned.push(listener),
            Err(faults) => refusals.extend(
                faults
                    .into_iter()
                    .filter(|fault| !refusals.contains(fault))
                    .collect::<Vec<_>>(),
            ),
        }
    }
    if refusals.is_empty() {
        Ok(planned)
    } else {
        Err(refusals)
    }
}

/// One for each port of the services that a caller sees, or for the ports it names.
fn sidecar<'a>(manifests: &Manifests, caller: &'a Caller) -> Vec<Stand<'a>> {
    let visible = manifests.registry.visible_from(caller.namespace());
    let served = visible
        .flat_map(|service| &service.ports)
        .filter(|port| port.protocol.may_be_http());
    let named = caller.ports.iter().filter_map(|port| u16::try_from(port.number).ok());
    let ports: BTreeSet<u16> = match caller.ports.is_empty() {
        true => served.map(|port| port.number).collect(),
        false => named.collect(),
    };
    let speak_grpc_web = |number| {
        let ports = manifests.registry.visible_from(caller.namespace());
        let mut ports = ports.flat_map(|service| &service.ports);
        ports.any(|port| port.number == number && port.protocol == Protocol::GrpcWeb)
    };
    let stand = |port| {
        Some(Stand {
            caller,
            port,
            grpc_web: speak_grpc_web(port),
            address: Address {
                ip: caller.address()?,
                port: caller.listen(port)?,
            },
            gateways: None,
            tls: Vec::new(),
        })
    };
    ports.into_iter().filter_map(stand).collect()
}

/// One for each port of the Gateways that a caller serves.
fn gateway<'a>(
    manifests: &Manifests,
    caller: &'a Caller,
    secrets: Secrets,
    findings: &mut Vec<Finding>,
) -> Vec<Stand<'a>> {
    let gateways: Vec<&Object<Gateway>> = manifests
        .config
        .resources
        .gateways
        .iter()
        .filter(|gateway| caller.labels.is_empty() || selects(gateway, caller))
        .collect();
    let names: Vec<String> = gateways
        .iter()
        .map(|gateway| format!("{}/{}", gateway.metadata.namespace, gateway.metadata.name))
        .collect();
    let mut stands: BTreeMap<(IpAddr, u16), Stand> = BTreeMap::new();
    let servers = gateways.iter().flat_map(|gateway| {
        let servers = gateway.spec.servers.iter().enumerate();
        servers.map(|(index, server)| (*gateway, index, server))
    });
    for (gateway, index, server) in servers {
        let port = server
            .port
            .as_ref()
            .and_then(|port| u16::try_from(port.number).ok())
            .unwrap_or_default();
        let ip = server.bind.parse().ok().or_else(|| caller.address());
        let (Some(ip), Some(listen)) = (ip, caller.listen(port)) else {
            continue;
        };
        let tls = match tls(server, secrets) {
            Ok(tls) => tls,
            Err(reason) => {
                findings.push(not_served(gateway, index, reason));
                continue;
            }
        };
        let stand = stands.entry((ip, port)).or_insert_with(|| Stand {
            caller,
            port,
            address: Address { ip, port: listen },
            gateways: Some(names.clone()),
            grpc_web: false,
            tls: Vec::new(),
        });
        stand.grpc_web |= protocol(server) == Protocol::GrpcWeb;
        stand.tls.extend(tls);
    }
    stands.into_values().collect()
}

fn selects(gateway: &Object<Gateway>, caller: &Caller) -> bool {
    let mut selector = gateway.spec.selector.iter();
    selector.all(|(name, value)| caller.labels.get(name) == Some(value))
}

fn protocol(server: &Server) -> Protocol {
    let port = server.port.as_ref();
    port.map(|port| Protocol::parse(&port.protocol)).unwrap_or_default()
}

/// How a server accepts TLS, if it does; or why there is nothing for it to do here.
fn tls(server: &Server, secrets: Secrets) -> Result<Option<TlsServer>, String> {
    let protocol = protocol(server);
    if protocol.is_http() {
        return Ok(None);
    }
    let settings = server.tls.as_ref().filter(|tls| {
        let mode = tls.mode.as_deref().unwrap_or("PASSTHROUGH");
        protocol == Protocol::Https && ["SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL"].contains(&mode)
    });
    let Some(settings) = settings else {
        return Err("is not HTTP that can be read here; it gets no listener".to_owned());
    };
    let hosts = server
        .hosts
        .iter()
        .map(|host| host.split_once('/').map_or(host.as_str(), |(_, host)| host));
    let hosts: Vec<String> = hosts.map(str::to_owned).collect();
    Ok(Some(TlsServer {
        server_names: if hosts.iter().any(|host| host == "*") {
            Vec::new()
        } else {
            hosts
        },
        transport_socket: transport_socket::downstream(settings, secrets)?,
    }))
}

fn not_served(gateway: &Object<Gateway>, index: usize, reason: String) -> Finding {
    Finding {
        severity: Severity::Warning,
        sort: Sort::Analysis,
        code: NOT_SERVED,
        resource: Some(gateway.resource),
        object: gateway.reference(),
        path: format!("servers[{index}]"),
        message: reason,
        related: Vec::new(),
    }
}

impl Stand<'_> {
    fn name(&self) -> String {
        let usual = self.caller.address() == Some(self.address.ip);
        let bind = if usual {
            String::new()
        } else {
            format!("_{}", self.address.ip).replace(['.', ':'], "-")
        };
        format!("{}_{}{bind}", self.caller.name, self.port)
    }

    /// The routes are those of the filter's own table: what it would take a request for, Envoy takes it for.
    fn plan(self, manifests: &Manifests, callers: &Callers) -> Result<Planned, Vec<Finding>> {
        let mesh = vec!["mesh".to_owned()];
        let proxy = json!({
            "namespace": self.caller.namespace(),
            "domain": callers.domain,
            "labels": self.caller.labels,
            "gateways": self.gateways.as_ref().unwrap_or(&mesh),
            "port": self.port,
        });
        let loaded = Plugin::load(plugin(&proxy, callers, &manifests.objects).as_bytes())?;
        let plugin = plugin(&proxy, callers, &manifests.deciding);
        let proxy = self.caller.proxy(&callers.domain);
        let rules = DestinationRules::new(&manifests.config, &proxy, &manifests.registry);
        let hash = |host: &str| HashPolicy::new(rules.rule(host)?.consistent_hash("", Some(self.port))?);
        let name = self.name();
        Ok(Planned {
            callbacks: Callbacks::new(&loaded.table, &loaded.options),
            routes: route_configuration(&name, &loaded.table, &loaded.options, hash),
            is_edge: self.gateways.is_some(),
            grpc_web: self.grpc_web,
            address: self.address,
            tls: self.tls,
            plugin,
            name,
        })
    }
}

/// What cannot be bound: an address that is taken already.
fn conflicts(manifests: &Manifests, stands: &[Stand]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut taken: BTreeMap<(IpAddr, u16), &Stand> = BTreeMap::new();
    for stand in stands {
        let at = (stand.address.ip, stand.address.port);
        let here = |what: String| {
            let message = format!(
                "{} is to listen at {} for port {}, where {what}; give it another address or list its ports",
                stand.caller.name,
                std::net::SocketAddr::from(at),
                stand.port
            );
            refused("callers", message)
        };
        if let Some(other) = taken.get(&at) {
            findings.push(here(format!("{} listens for port {}", other.caller.name, other.port)));
        }
        taken.entry(at).or_insert(stand);
        for service in manifests.registry.services() {
            let serves = |port: u16| {
                let there = |endpoint: &crate::registry::Endpoint| {
                    let own = service.ports.iter().filter_map(|port| endpoint.port(port));
                    endpoint.address.parse() == Ok(at.0) && own.into_iter().any(|own| own == port)
                };
                service.endpoints.iter().any(there)
            };
            if serves(at.1) {
                findings.push(here(format!("{} is served", service.hostname)));
            }
        }
    }
    findings
}
