//! `envoy.config.bootstrap.v3.Bootstrap`: what Envoy starts with.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::message::{extension, message};
use super::stats_config::stats_config;

/// The whole of it but for its resources.
///
/// The node has a name because Envoy asks for one as soon as anything comes from files.
pub(super) fn bootstrap(admin: Option<(IpAddr, u16)>, resources: (&str, Value)) -> Value {
    let (kind, resources) = resources;
    let admin = admin.map(|(ip, port)| json!({"address": {"socket_address": {"address": ip, "port_value": port}}}));
    message(json!({
        "node": {"id": "switchyard", "cluster": "switchyard"},
        "admin": admin,
        "stats_config": stats_config(),
        "overload_manager": overload_manager(),
        kind: resources,
    }))
}

/// As many connections of clients as Envoy's own advice for the edge allows: one client alone cannot use up the file descriptors.
fn overload_manager() -> Value {
    json!({"resource_monitors": [extension(
        "envoy.resource_monitors.global_downstream_max_connections",
        "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
        json!({"max_active_downstream_connections": 50_000}),
    )]})
}

/// Static resources out of values by name.
pub(super) fn static_resources(clusters: Vec<Value>, listeners: Vec<Value>) -> Value {
    let fields = [("clusters", clusters), ("listeners", listeners)];
    let fields = fields.into_iter().filter(|(_, values)| !values.is_empty());
    fields
        .map(|(name, values)| (name.to_owned(), values.into()))
        .collect::<Map<_, _>>()
        .into()
}
