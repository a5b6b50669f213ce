//! `envoy.config.bootstrap.v3.Bootstrap`: what Envoy starts with.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::message::message;
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
        kind: resources,
    }))
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
