//! `envoy.config.route.v3.RouteConfiguration`: the overlay, and Istio's default routes behind it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::message::message;
use super::{hash_policy, retry_policy};
use crate::action::hash_policy::HashPolicy;
use crate::action::retry::Variant;
use crate::reserved;
use crate::route::{RouteTable, VirtualHost};

/// The routes of a listener: a virtual host for each that the filter's table has, and the one for everything else, which is there whatever
/// the table says, for a rewritten authority is looked up anew. `hash` tells the key of a host's default route.
pub(super) fn route_configuration(name: &str, table: &RouteTable, hash: impl Fn(&str) -> Option<HashPolicy>) -> Value {
    let overlay = overlay(table);
    let mut hosts: Vec<Value> = Vec::new();
    let mut everything = virtual_host("*", &["*".to_owned()], &overlay, None);
    for (host, domains) in table.virtual_hosts.iter().zip(table.domains()) {
        let default = host.default_cluster.as_deref();
        let default = default.map(|cluster| default_route(cluster, hash(&host.name).as_ref()));
        let value = with_tls(virtual_host(&host.name, &domains, &overlay, default), host);
        match domains.iter().any(|domain| domain == "*") {
            true => everything = value,
            false if domains.is_empty() => {}
            false => hosts.push(value),
        }
    }
    hosts.push(everything);
    json!({
        "name": name,
        "internal_only_headers": reserved::ALL,
        "ignore_port_in_host_matching": true,
        // A subset that no rule defines is 503 for those who ask for it, and no reason to refuse the others' routes.
        "validate_clusters": false,
        "virtual_hosts": hosts,
    })
}

fn virtual_host(name: &str, domains: &[String], overlay: &[Value], default: Option<Value>) -> Value {
    json!({
        "name": name,
        "domains": domains,
        "include_request_attempt_count": true,
        "routes": overlay.iter().cloned().chain(default).collect::<Vec<_>>(),
    })
}

fn with_tls(mut value: Value, host: &VirtualHost) -> Value {
    if let Some(fields) = value.as_object_mut().filter(|_| host.https_redirect) {
        fields.insert("require_tls".to_owned(), "ALL".into());
    }
    value
}

/// The routes that a request takes once the filter has named its cluster: one for each retry policy that headers cannot ask for, and behind
/// them the one with Istio's default policy. A client gets to none of them, for its reserved headers are taken away.
fn overlay(table: &RouteTable) -> Vec<Value> {
    let rules = table.virtual_hosts.iter().filter_map(|host| host.routes.as_ref());
    let forwards = rules
        .flat_map(|routes| routes.iter())
        .filter_map(|route| route.action.forward());
    let wanted = forwards
        .filter_map(|forward| forward.retry.as_ref())
        .map(|retry| retry.variant);
    // The plain one is there before anybody wants it, so that a first retry policy is news to the filter alone.
    let variants: BTreeSet<Variant> = wanted.chain([Variant::default()]).collect();
    let variants = variants.iter().map(|variant| {
        let key = variant.key();
        let chosen = json!({"name": reserved::RETRY, "string_match": {"exact": key}});
        overlay_route(
            &format!("switchyard {key}"),
            Some(chosen),
            retry_policy::variant(variant),
        )
    });
    let default = overlay_route("switchyard", None, retry_policy::default(true));
    variants.chain([default]).collect()
}

fn overlay_route(name: &str, chosen: Option<Value>, retry_policy: Value) -> Value {
    let routed = json!({"name": reserved::CLUSTER, "present_match": true});
    let headers: Vec<Value> = [Some(routed), chosen].into_iter().flatten().collect();
    json!({
        "name": name,
        // The empty prefix takes `*` too, which OPTIONS may ask for.
        "match": {"prefix": "", "headers": headers},
        "route": {
            "cluster_header": reserved::CLUSTER,
            "timeout": "0s",
            "max_grpc_timeout": "0s",
            "retry_policy": retry_policy,
            "hash_policy": hash_policy::by_filter(),
        },
        "request_headers_to_remove": [reserved::CLUSTER, reserved::RETRY],
    })
}

/// Istio's route to a service that no VirtualService has.
fn default_route(cluster: &str, hash: Option<&HashPolicy>) -> Value {
    message(json!({
        "name": "default",
        "match": {"prefix": "/"},
        "route": {
            "cluster": cluster,
            "timeout": "0s",
            "max_grpc_timeout": "0s",
            "retry_policy": retry_policy::default(hash.is_none()),
            "hash_policy": hash.map(hash_policy::native),
        },
    }))
}
