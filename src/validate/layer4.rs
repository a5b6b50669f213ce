//! `tls` and `tcp`, which are not served here: what Istio would refuse in them is refused all the same.

use std::net::IpAddr;

use super::destination::layer4_routes;
use super::virtual_service::is_for_sidecars;
use super::{At, name, value};
use crate::config::layer4::{TCPRoute, TLSRoute};
use crate::config::virtual_service::VirtualService;

pub(super) fn tls_route(at: &At, route: &TLSRoute, spec: &VirtualService) {
    if route.r#match.is_empty() {
        at.field("match")
            .error("is missing; a route of TLS matches by sniHosts");
    }
    for (at, entry) in at.each("match", &route.r#match) {
        if entry.sni_hosts.is_empty() {
            at.field("sniHosts")
                .error("is missing; name a host of the VirtualService");
        }
        for (at, host) in at.each("sniHosts", &entry.sni_hosts) {
            sni_host(&at, host, spec);
        }
        conditions(&at, &entry.destination_subnets, entry.port);
        name::labels(&at.field("sourceLabels"), &entry.source_labels);
        name::gateways(&at, &entry.gateways);
    }
    if route.route.is_empty() {
        at.field("route").error("is missing; name a destination");
    }
    layer4_routes(at, &route.route);
}

pub(super) fn tcp_route(at: &At, route: &TCPRoute) {
    for (at, entry) in at.each("match", &route.r#match) {
        conditions(&at, &entry.destination_subnets, entry.port);
        name::labels(&at.field("sourceLabels"), &entry.source_labels);
        name::gateways(&at, &entry.gateways);
    }
    if route.route.is_empty() {
        at.field("route").error("is missing; name a destination");
    }
    layer4_routes(at, &route.route);
}

fn conditions(at: &At, subnets: &[String], port: i64) {
    for (at, subnet) in at.each("destinationSubnets", subnets) {
        self::subnet(&at, subnet);
    }
    if port != 0 {
        value::port(&at.field("port"), port);
    }
}

/// An address, or a block of them as `10.0.0.0/8`.
pub(super) fn subnet(at: &At, text: &str) {
    let is_block = |(address, bits): (&str, &str)| {
        let most = match address.parse() {
            Ok(IpAddr::V4(_)) => 32,
            Ok(IpAddr::V6(_)) => 128,
            Err(_) => return false,
        };
        bits.parse::<u8>().is_ok_and(|bits| bits <= most)
    };
    if !name::is_address(text) && !text.split_once('/').is_some_and(is_block) {
        at.error(format!("`{text}` is no address and no block as 10.0.0.0/8"));
    }
}

fn sni_host(at: &At, host: &str, spec: &VirtualService) {
    let is_generated = !is_for_sidecars(spec) && is_generated_sni(host);
    match name::host(host, true) {
        Err(_) if name::is_address(host) => at.warn("is an address, which clients do not send as a server's name"),
        Err(message) if !is_generated => at.error(message),
        _ if !spec.hosts.iter().any(|own| name::is_within(host, own)) => {
            at.error(format!("`{host}` is none of the VirtualService's hosts; add it there"));
        }
        _ => {}
    }
}

/// `outbound_.PORT_._.HOST`, which Istio's gateways make up for each other.
pub(super) fn is_generated_sni(host: &str) -> bool {
    let parts: Vec<&str> = host.split('_').collect();
    let has =
        |index: usize, kind: fn(&u8) -> bool| parts.get(index).is_some_and(|part| part.as_bytes().iter().any(kind));
    parts.first() == Some(&"outbound") && has(1, u8::is_ascii_digit) && has(3, u8::is_ascii_alphabetic)
}
