//! `RouteConfiguration`: the overlay routes that send a request to the cluster that the filter chose, and behind them Istio's default
//! route of each service.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::retry_policy::{default_policy, variant_policy};
use super::{set, type_url};
use crate::reserved;
use crate::retry::Variant;
use crate::route::{RouteTable, VirtualHost};

/// The routes of a listener. A `*` host is always there: a filter that changes the authority makes Envoy choose the host anew.
pub fn route_configuration(name: &str, table: &RouteTable) -> Value {
    let overlay = overlay(&variants(table));
    let mut domains: Vec<Vec<String>> = vec![Vec::new(); table.virtual_hosts.len()];
    for (domain, index) in table.domains() {
        if let Some(domains) = domains.get_mut(index) {
            domains.push(domain);
        }
    }
    let mut hosts: Vec<Value> = Vec::new();
    for (host, mut domains) in table.virtual_hosts.iter().zip(domains) {
        domains.sort();
        if !domains.is_empty() {
            hosts.push(virtual_host(&host.name, domains, host, &overlay));
        }
    }
    if !table.domains().any(|(domain, _)| domain == "*") {
        hosts.push(json!({
            "name": "switchyard", "domains": ["*"], "include_request_attempt_count": true, "routes": overlay,
        }));
    }
    json!({
        "@type": type_url("envoy.config.route.v3.RouteConfiguration"),
        "name": name,
        "internal_only_headers": reserved::ALL,
        "ignore_port_in_host_matching": true,
        "validate_clusters": false,
        "virtual_hosts": hosts,
    })
}

fn virtual_host(name: &str, domains: Vec<String>, host: &VirtualHost, overlay: &[Value]) -> Value {
    let default = host.default_cluster.as_ref().map(|cluster| default_route(cluster));
    let routes: Vec<&Value> = overlay.iter().chain(&default).collect();
    let mut host_value = json!({
        "name": name, "domains": domains, "include_request_attempt_count": true, "routes": routes,
    });
    if host.https_redirect {
        set(&mut host_value, "require_tls", "ALL");
    }
    host_value
}

/// What rules ask for that no header can say.
fn variants(table: &RouteTable) -> BTreeSet<Variant> {
    let routes = table
        .virtual_hosts
        .iter()
        .filter_map(|host| host.routes.as_ref())
        .flat_map(|routes| routes.iter());
    routes
        .filter_map(|route| Some(route.action.forward()?.retry.as_ref()?.variant))
        .collect()
}

/// One route for each variant, and behind them the one with Istio's default retries. Any path matches: a rewrite may leave one that does
/// not begin with a slash.
fn overlay(variants: &BTreeSet<Variant>) -> Vec<Value> {
    let chosen = json!({"name": reserved::CLUSTER, "present_match": true});
    let route = |name: &str, headers: Value, retry_policy: Value| {
        json!({
            "name": name,
            "match": {"prefix": "", "headers": headers},
            "route": {
                "cluster_header": reserved::CLUSTER,
                "timeout": "0s",
                "max_grpc_timeout": "0s",
                "retry_policy": retry_policy,
                "hash_policy": [{"filter_state": {"key": reserved::HASH_KEY}}],
            },
            "request_headers_to_remove": reserved::ALL,
        })
    };
    let variant = |variant: &Variant| {
        let key = variant.key();
        let asked = json!({"name": reserved::RETRY, "string_match": {"exact": key}});
        route(
            &format!("switchyard {key}"),
            json!([chosen, asked]),
            variant_policy(variant),
        )
    };
    let mut routes: Vec<Value> = variants.iter().map(variant).collect();
    routes.push(route("switchyard", json!([chosen]), default_policy()));
    routes
}

/// `buildDefaultHTTPOutboundRoute`, istio `pilot/pkg/networking/core/route/route.go`.
fn default_route(cluster: &str) -> Value {
    json!({
        "name": "default",
        "match": {"prefix": "/"},
        "route": {"cluster": cluster, "timeout": "0s", "max_grpc_timeout": "0s", "retry_policy": default_policy()},
    })
}
