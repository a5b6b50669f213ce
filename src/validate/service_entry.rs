//! `ValidateServiceEntry`.

use std::collections::BTreeMap;

use super::export_to::{Exported, export_to};
use super::layer4::subnet;
use super::value::{self, Protocol};
use super::{At, name};
use crate::config::service_entry::{LOCATIONS, RESOLUTIONS, ServiceEntry, WorkloadEntry};

pub(super) fn validate(at: &At, spec: &ServiceEntry) {
    if spec.hosts.is_empty() {
        at.field("hosts").error("is missing; name the service");
    }
    for (at, host) in at.each("hosts", &spec.hosts) {
        match host.as_str() {
            "*" => at.error("`*` is no service; name it"),
            _ => name::wildcard_host(&at, host),
        }
        if host.len() > 1 && host.contains('*') && !host.starts_with("*.") {
            at.warn(format!("`{host}` has a wildcard in a label; write `*.` and the rest"));
        }
    }
    selector(at, spec);
    value::enumeration(&at.field("location"), spec.location.as_ref(), &LOCATIONS);
    value::enumeration(&at.field("resolution"), spec.resolution.as_ref(), &RESOLUTIONS);
    let resolution = spec.resolution.as_deref().unwrap_or("NONE");
    for (at, address) in at.each("addresses", &spec.addresses) {
        subnet(&at, address);
        if address.contains('/') && resolution.starts_with("DNS") {
            at.error(format!(
                "`{address}` is a block, which resolution {resolution} has no use for; write an address"
            ));
        }
    }
    ports(at, spec);
    match resolution {
        "NONE" if !spec.endpoints.is_empty() => {
            at.field("endpoints")
                .error("stands beside resolution NONE, which goes where the request was for; write STATIC or DNS");
        }
        "NONE" if spec.workload_selector.is_some() => {
            at.field("workloadSelector").warn("has no effect with resolution NONE")
        }
        "DNS" | "DNS_ROUND_ROBIN" => dns(at, spec, resolution),
        _ => {}
    }
    if resolution != "NONE" {
        for (at, endpoint) in at.each("endpoints", &spec.endpoints) {
            self::endpoint(&at, endpoint, spec, resolution);
        }
    }
    export_to(at, &spec.export_to, Exported::Service);
}

fn selector(at: &At, spec: &ServiceEntry) {
    let Some(selector) = &spec.workload_selector else {
        return;
    };
    if !spec.endpoints.is_empty() {
        at.field("workloadSelector")
            .error("stands beside endpoints; keep one of them");
    }
    let at = at.field("workloadSelector");
    let at = at.field("labels");
    if selector.labels.is_empty() {
        at.warn("is missing; all workloads of the namespace are taken");
    }
    selector_labels(&at, &selector.labels);
}

/// Labels that select workloads.
pub(super) fn selector_labels(at: &At, labels: &BTreeMap<String, String>) {
    for (name, value) in labels {
        if name.is_empty() {
            at.field(name).error("has no name; name a label");
        } else if name.contains('*') || value.contains('*') {
            at.field(name)
                .error("has a `*`, which selects nothing; write the whole label");
        }
    }
}

fn ports(at: &At, spec: &ServiceEntry) {
    let resolution = spec.resolution.as_deref().unwrap_or("NONE");
    for (index, (at, port)) in at.each("ports", &spec.ports).enumerate() {
        let earlier = || spec.ports.iter().take(index);
        if earlier().any(|earlier| earlier.name == port.name) {
            at.field("name")
                .error(format!("`{}` is another port's; each has its own", port.name));
        }
        if earlier().any(|earlier| earlier.number == port.number) {
            at.field("number")
                .error(format!("{} is here twice; keep one", port.number));
        }
        if !name::is_label(&port.name) {
            at.field("name")
                .error(format!("`{}` is no port's name: letters, digits and dashes", port.name));
        }
        value::port(&at.field("number"), port.number);
        if port.target_port != 0 {
            value::port(&at.field("targetPort"), port.target_port);
        }
        let protocol = Protocol::parse(&port.protocol);
        if protocol.is_none() && !port.protocol.is_empty() {
            let known = value::PROTOCOLS.join(", ");
            at.field("protocol")
                .error(format!("`{}` is none of {known}", port.protocol));
        }
        let tells_hosts = protocol.is_some_and(|protocol| protocol.is_http || protocol.is_tls);
        if spec.hosts.len() > 1 && resolution != "NONE" && !tells_hosts {
            at.error("does not tell one host from another, for it is neither HTTP nor TLS; write one host");
        }
    }
}

fn dns(at: &At, spec: &ServiceEntry, resolution: &str) {
    if spec.endpoints.is_empty() {
        for (at, host) in at.each("hosts", &spec.hosts) {
            if name::host(host, false).is_err() {
                at.error(format!("`{host}` cannot be looked up; write a name, or endpoints"));
            }
        }
    }
    if resolution == "DNS_ROUND_ROBIN" && spec.endpoints.len() > 1 {
        at.field("endpoints")
            .error("has several entries; resolution DNS_ROUND_ROBIN takes one");
    }
}

fn endpoint(at: &At, endpoint: &WorkloadEntry, spec: &ServiceEntry, resolution: &str) {
    address(&at.field("address"), endpoint, spec, resolution);
    for (name, port) in &endpoint.ports {
        let at = at.field("ports");
        let at = at.field(name);
        if !spec.ports.iter().any(|known| known.name == *name) {
            at.error(format!("`{name}` is no port of the service; name one of its ports"));
        }
        if !name::is_label(name) {
            at.error(format!("`{name}` is no port's name: letters, digits and dashes"));
        }
        value::port(&at, *port);
    }
    name::labels(&at.field("labels"), &endpoint.labels);
    value::uint32(&at.field("weight"), endpoint.weight);
}

fn address(at: &At, endpoint: &WorkloadEntry, spec: &ServiceEntry, resolution: &str) {
    let address = endpoint.address.as_str();
    if resolution == "STATIC" {
        match address.strip_prefix("unix://") {
            Some(path) => {
                value::unix_path(at, path);
                if !endpoint.ports.is_empty() || spec.ports.len() != 1 {
                    at.error("is a socket's path, which serves one port of the service and names none");
                }
            }
            None if address.is_empty() && endpoint.network.is_empty() => at.error("is missing; write an address"),
            None if address.is_empty() => at.warn(format!("is missing in network `{}`", endpoint.network)),
            None if !name::is_address(address) => {
                at.error(format!(
                    "`{address}` is no address, which resolution STATIC needs; write one, or resolution DNS"
                ));
            }
            None => {}
        }
    } else if !name::is_address(address) && name::host(address, false).is_err() {
        at.error(format!("`{address}` is neither a name nor an address"));
    }
}
