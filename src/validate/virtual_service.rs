//! `ValidateVirtualService`.

use super::export_to::{Exported, export_to};
use super::http_route::{Place, http_route};
use super::{At, layer4, name, unreachable};
use crate::config::virtual_service::VirtualService;
use crate::finding::Severity;

/// The code of a part that is not ours to serve.
const NOT_SERVED: &str = "SWY0001";

pub(super) fn validate(at: &At, spec: &VirtualService) {
    if spec.hosts.is_empty() {
        without_hosts(at, spec);
    }
    name::gateways(at, &spec.gateways);
    hosts(at, spec);
    if spec.http.is_empty() && spec.tcp.is_empty() && spec.tls.is_empty() {
        at.error("has no rule; write http, tcp or tls");
    }
    let place = Place {
        is_delegate: spec.hosts.is_empty(),
        is_for_sidecars: is_for_sidecars(spec),
    };
    for (at, rule) in at.each("http", &spec.http) {
        http_route(&at, rule, place);
    }
    for (at, route) in at.each("tls", &spec.tls) {
        layer4::tls_route(&at, route, spec);
    }
    for (at, route) in at.each("tcp", &spec.tcp) {
        layer4::tcp_route(&at, route);
    }
    for (name, is_there) in [("tls", !spec.tls.is_empty()), ("tcp", !spec.tcp.is_empty())] {
        if is_there {
            let message = format!("{name} routes are not served here; the rest of the document is");
            at.field(name).add(Severity::Warning, NOT_SERVED, message);
        }
    }
    export_to(at, &spec.export_to, Exported::Rules);
    unreachable::warn(at, &spec.http);
}

/// One without hosts has rules that others delegate to.
fn without_hosts(at: &At, spec: &VirtualService) {
    let others = [
        ("gateways", spec.gateways.is_empty()),
        ("tls", spec.tls.is_empty()),
        ("tcp", spec.tcp.is_empty()),
    ];
    for (name, _) in others.iter().filter(|(_, is_empty)| !is_empty) {
        at.field(name).error(
            "has no meaning in a VirtualService without hosts, which others delegate to; write hosts, or remove it",
        );
    }
}

/// No gateways mean sidecars.
pub(super) fn is_for_sidecars(spec: &VirtualService) -> bool {
    spec.gateways.is_empty() || spec.gateways.iter().any(|gateway| gateway == "mesh")
}

fn hosts(at: &At, spec: &VirtualService) {
    let is_for_sidecars = is_for_sidecars(spec);
    let has_sni = || {
        spec.tls
            .iter()
            .flat_map(|tls| &tls.r#match)
            .any(|entry| !entry.sni_hosts.is_empty())
    };
    let takes_sni = !is_for_sidecars && has_sni();
    let mut are_valid = true;
    for (at, host) in at.each("hosts", &spec.hosts) {
        let is_sni = takes_sni && layer4::is_generated_sni(host);
        match name::host(host, true) {
            Err(message) if !name::is_address(host) && !is_sni => at.error(message),
            Ok(()) if is_for_sidecars && host == "*" => {
                at.error("`*` is for gateways alone; name hosts, or gateways other than mesh");
            }
            _ => continue,
        }
        are_valid = false;
    }
    if are_valid {
        overlaps(at, &spec.hosts);
    }
}

fn overlaps(at: &At, hosts: &[String]) {
    for (index, (at, host)) in at.each("hosts", hosts).enumerate() {
        for earlier in hosts.iter().take(index).filter(|earlier| name::overlap(earlier, host)) {
            if earlier == host {
                at.error(format!("`{host}` is here twice; keep one"));
            } else {
                at.error(format!(
                    "`{host}` and `{earlier}` have names in common; keep one of them"
                ));
            }
        }
    }
}
