//! `Bootstrap`: what Envoy is started with.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::set;
use super::stats_config::stats_config;

/// What every bootstrap has.
#[derive(Debug, Clone, Copy)]
pub struct Bootstrap {
    /// Envoy's admin interface.
    pub admin: SocketAddr,
}

impl Bootstrap {
    /// Everything in one file.
    pub fn with_static(&self, listeners: Vec<Value>, clusters: Vec<Value>) -> Value {
        let mut bootstrap = self.base();
        set(
            &mut bootstrap,
            "static_resources",
            json!({"listeners": plain(listeners), "clusters": plain(clusters)}),
        );
        bootstrap
    }

    /// Listeners and clusters from a `ConfigSource` each.
    pub fn with_dynamic(&self, listeners: Value, clusters: Value) -> Value {
        let mut bootstrap = self.base();
        set(
            &mut bootstrap,
            "dynamic_resources",
            json!({"lds_config": listeners, "cds_config": clusters}),
        );
        bootstrap
    }

    fn base(&self) -> Value {
        json!({
            "node": {"id": "switchyard", "cluster": "switchyard"},
            "admin": {"address": {"socket_address": {"address": self.admin.ip().to_string(), "port_value": self.admin.port()}}},
            "stats_config": stats_config(),
            "layered_runtime": {"layers": [{
                "name": "switchyard",
                "static_layer": {"overload": {"global_downstream_max_connections": 50000}},
            }]},
        })
    }
}

/// Messages whose place says what they are.
fn plain(mut messages: Vec<Value>) -> Vec<Value> {
    for message in messages.iter_mut().filter_map(Value::as_object_mut) {
        message.remove("@type");
    }
    messages
}
