//! In which order Envoy is told of a change, so that nothing it is asked for is ever missing: make before break.
//!
//! First what is new stands beside what is old (endpoints, clusters, routes), then the filter changes over, then listeners. What is no
//! longer wanted goes when no stream can ask for it any more.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::envoy::{Kind, Resources, Snapshot};
use crate::reserved;

/// From then on Envoy has exactly these resources of that kind.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    pub(super) kind: Kind,
    pub(super) resources: Resources,
}

/// The files that an Envoy starts on: everything but the listeners that clients reach. Those follow when the filter's first configurations
/// are live, for on a wrong one Envoy answers every request with 500.
pub(super) fn boot(wants: &Snapshot) -> Vec<Step> {
    let all = |kind: Kind| Step {
        kind,
        resources: wants.of(kind).clone(),
    };
    let listeners = Step {
        kind: Kind::Listeners,
        resources: only_proving(&wants.listeners),
    };
    let others = [Kind::Endpoints, Kind::Clusters, Kind::Routes, Kind::Extensions];
    others.into_iter().map(all).chain([listeners]).collect()
}

/// The steps after which `wants` is served, and which take nothing away that a stream of `has` may still ask for. Each is to be live
/// before the next one is taken.
pub(super) fn make(has: &Snapshot, wants: &Snapshot) -> Vec<Step> {
    let mut proving = has.listeners.clone();
    proving.extend(only_proving(&wants.listeners));
    let mut steps = changes(
        has,
        [
            (Kind::Endpoints, union(&has.endpoints, &wants.endpoints)),
            (Kind::Clusters, union(&has.clusters, &wants.clusters)),
            (Kind::Routes, union_of_routes(&has.routes, &wants.routes)),
            (
                Kind::Extensions,
                union(&has.extensions, &in_their_machines(&has.extensions, &wants.extensions)),
            ),
            (Kind::Listeners, proving.clone()),
        ],
    );
    if proving != wants.listeners {
        steps.push(Step {
            kind: Kind::Listeners,
            resources: wants.listeners.clone(),
        });
    }
    steps
}

/// The steps that take away what only streams of an earlier configuration asked for, when there are none left.
pub(super) fn trim(has: &Snapshot, wants: &Snapshot) -> Vec<Step> {
    let step = |kind: Kind| (kind, wants.of(kind).clone());
    changes(
        has,
        [
            step(Kind::Listeners),
            (Kind::Extensions, in_their_machines(&has.extensions, &wants.extensions)),
            step(Kind::Routes),
            step(Kind::Clusters),
            step(Kind::Endpoints),
        ],
    )
}

fn changes(has: &Snapshot, steps: [(Kind, Resources); 5]) -> Vec<Step> {
    let steps = steps.into_iter().map(|(kind, resources)| Step { kind, resources });
    steps.filter(|step| has.of(step.kind) != &step.resources).collect()
}

/// The name of the listener that nobody reaches: it has every filter's configuration, before another listener has it.
const PROVING: &str = "switchyard-proving";

/// Adds the listener that proves the filter's configurations.
pub(super) fn add_proving(listeners: &mut Resources) {
    let mut filters: Vec<Value> = Vec::new();
    for listener in listeners.values() {
        discovered(listener, &mut filters);
    }
    filters.sort_by_key(|filter| filter.get("name").and_then(Value::as_str).map(str::to_owned));
    filters.dedup();
    filters.push(json!({
        "name": "envoy.filters.http.router",
        "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
    }));
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": PROVING,
        "route_config": {},
        "http_filters": filters,
    });
    let listener = json!({
        "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
        "name": PROVING,
        "address": { "socket_address": { "address": "127.0.0.1", "port_value": 1 } },
        "bind_to_port": false,
        "filter_chains": [{ "filters": [{ "name": PROVING, "typed_config": manager }] }],
    });
    listeners.insert(PROVING.to_owned(), listener);
}

/// What clients reach, as `address:port`.
pub(super) fn addresses(listeners: &Resources) -> Vec<String> {
    let address = |listener: &Value| {
        let socket = listener.pointer("/address/socket_address")?;
        let ip = socket.get("address")?.as_str()?.parse().ok()?;
        let port = u16::try_from(socket.get("port_value")?.as_u64()?).ok()?;
        Some(SocketAddr::new(ip, port).to_string())
    };
    let reached = listeners.iter().filter(|(name, _)| *name != PROVING);
    reached.filter_map(|(_, listener)| address(listener)).collect()
}

fn only_proving(listeners: &Resources) -> Resources {
    let proving = listeners.get_key_value(PROVING);
    proving
        .map(|(name, listener)| (name.clone(), listener.clone()))
        .into_iter()
        .collect()
}

/// The filters of a listener whose configurations have files of their own.
fn discovered(value: &Value, filters: &mut Vec<Value>) {
    match value {
        Value::Object(members) if members.contains_key("config_discovery") => filters.push(value.clone()),
        Value::Object(members) => members.values().for_each(|value| discovered(value, filters)),
        Value::Array(entries) => entries.iter().for_each(|value| discovered(value, filters)),
        _ => {}
    }
}

fn union(has: &Resources, wants: &Resources) -> Resources {
    let mut both = has.clone();
    both.extend(wants.iter().map(|(name, value)| (name.clone(), value.clone())));
    both
}

/// Where a configuration of the filter says what the virtual machine may call and be called for.
const CAPABILITIES: &str = "/typed_config/config/capability_restriction_config/allowed_capabilities";

/// The filter's configurations that are wanted, each in the virtual machine that it is in: another list of capabilities is another machine,
/// and copies under way and counters end with the old one. So lists only grow, until Envoy starts anew.
fn in_their_machines(has: &Resources, wants: &Resources) -> Resources {
    let mut wanted = wants.clone();
    for (name, extension) in &mut wanted {
        let old = has.get(name).and_then(|old| old.pointer(CAPABILITIES)?.as_object());
        let new = extension.pointer_mut(CAPABILITIES).and_then(Value::as_object_mut);
        if let (Some(old), Some(new)) = (old, new) {
            new.extend(old.clone());
        }
    }
    wanted
}

/// The routes that are wanted, with the variants that the filter's earlier configuration may still ask for.
fn union_of_routes(has: &Resources, wants: &Resources) -> Resources {
    let mut both = union(has, wants);
    for (name, configuration) in &mut both {
        if let Some(old) = has.get(name) {
            keep_variants(old, configuration);
        }
    }
    both
}

/// Adds to each virtual host the variants of the overlay route that the old one of that name has. What picks a variant says what it is, so
/// those that are picked alike are alike.
fn keep_variants(old: &Value, new: &mut Value) {
    let old_hosts = old.get("virtual_hosts").and_then(Value::as_array);
    let hosts = new.get_mut("virtual_hosts").and_then(Value::as_array_mut);
    for host in hosts.into_iter().flatten() {
        let same = old_hosts
            .into_iter()
            .flatten()
            .find(|old| old.get("name") == host.get("name"));
        let old_routes = same.and_then(|old| old.get("routes")?.as_array());
        let Some(routes) = host.get_mut("routes").and_then(Value::as_array_mut) else {
            continue;
        };
        let names: BTreeSet<Vec<&str>> = routes.iter().map(variant).collect();
        let gone = |route: &&Value| !variant(route).is_empty() && !names.contains(&variant(route));
        let kept: Vec<Value> = old_routes.into_iter().flatten().filter(gone).cloned().collect();
        // They take nothing from the new ones: a retry policy that is gone is gone with all mirrors, and mirrors alone are for none that retry.
        routes.splice(0..0, kept);
    }
}

/// By what the filter picks the route, if it is a variant of the overlay route.
fn variant(route: &Value) -> Vec<&str> {
    let headers = route.pointer("/match/headers").and_then(Value::as_array);
    let picks = |header: &Value| {
        let name = header.get("name").and_then(Value::as_str);
        name.is_some_and(|name| [reserved::RETRY, reserved::MIRROR].contains(&name))
    };
    let picking = headers.into_iter().flatten().filter(|header| picks(header));
    picking
        .filter_map(|header| header.pointer("/string_match/exact")?.as_str())
        .collect()
}

#[cfg(test)]
mod tests;
