//! `envoy.config.route.v3.RouteConfiguration`: the overlay, and Istio's default routes behind it.

use serde_json::{Value, json};

use super::message::message;
use super::overlay::Overlay;
use super::{hash_policy, retry_policy};
use crate::action::hash_policy::HashPolicy;
use crate::config::Options;
use crate::reserved;
use crate::route::{RouteTable, VirtualHost};

/// The routes of a listener: a virtual host for each that the filter's table has, and the one for everything else, which is there whatever
/// the table says, for a rewritten authority is looked up anew. `hash` tells the key of a host's default route.
pub(super) fn route_configuration(
    name: &str,
    table: &RouteTable,
    options: &Options,
    hash: impl Fn(&str) -> Option<HashPolicy>,
) -> Value {
    let overlay = Overlay::new(table, options);
    let mut hosts: Vec<Value> = Vec::new();
    let mut everything = virtual_host("*", &["*".to_owned()], overlay.routes(None), None);
    for (host, domains) in table.virtual_hosts.iter().zip(table.domains()) {
        let default = host.default_cluster.as_deref();
        let default = default.map(|cluster| default_route(cluster, hash(&host.name).as_ref()));
        let value = with_tls(
            virtual_host(&host.name, &domains, overlay.routes(Some(host)), default),
            host,
        );
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

fn virtual_host(name: &str, domains: &[String], overlay: Vec<Value>, default: Option<Value>) -> Value {
    json!({
        "name": name,
        "domains": domains,
        "include_request_attempt_count": true,
        "routes": overlay.into_iter().chain(default).collect::<Vec<_>>(),
    })
}

fn with_tls(mut value: Value, host: &VirtualHost) -> Value {
    if let Some(fields) = value.as_object_mut().filter(|_| host.https_redirect) {
        fields.insert("require_tls".to_owned(), "ALL".into());
    }
    value
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
