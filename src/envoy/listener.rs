//! `Listener`: one for each caller and port.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::access_log::access_log;
use super::filter::WASM;
use super::{set, type_url};

/// Where a listener listens, and where it has its parts from.
#[derive(Debug, Clone)]
pub struct Listener<'a> {
    /// Its name, `caller/port`.
    pub name: &'a str,
    /// Where it listens.
    pub address: IpAddr,
    /// Where it listens.
    pub port: u16,
    /// The routes: the message itself, or a `Rds` that says where they are.
    pub routes: Routes,
    /// The filter: the message itself, or where it is.
    pub filter: FilterSource,
    /// The file of the access log; none is Envoy's standard output.
    pub access_log: Option<&'a str>,
    /// The transport socket, where clients speak TLS.
    pub transport_socket: Option<Value>,
}

/// Where routes come from.
#[derive(Debug, Clone)]
pub enum Routes {
    /// Written here.
    Inline(Value),
    /// By name from a `ConfigSource`.
    Discovered(String, Value),
}

/// Where the filter comes from.
#[derive(Debug, Clone)]
pub enum FilterSource {
    /// Written here.
    Inline(Value),
    /// By name from a `ConfigSource`.
    Discovered(String, Value),
}

impl Listener<'_> {
    /// The message.
    pub fn message(&self) -> Value {
        let mut chain = json!({"filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": self.http_connection_manager(),
        }]});
        if let Some(socket) = &self.transport_socket {
            set(&mut chain, "transport_socket", socket.clone());
        }
        json!({
            "@type": type_url("envoy.config.listener.v3.Listener"),
            "name": self.name,
            "address": {"socket_address": {"address": self.address.to_string(), "port_value": self.port}},
            "filter_chains": [chain],
        })
    }

    /// As Istio sets it up: paths are normalised, streams may be idle, connections may be upgraded.
    fn http_connection_manager(&self) -> Value {
        let filter = match &self.filter {
            FilterSource::Inline(wasm) => json!({"name": "switchyard", "typed_config": wasm}),
            FilterSource::Discovered(name, source) => json!({
                "name": name,
                "config_discovery": {"config_source": source, "type_urls": [type_url(WASM)]},
            }),
        };
        let mut manager = json!({
            "@type": type_url("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
            "stat_prefix": self.name.replace('/', "_"),
            "codec_type": "AUTO",
            "normalize_path": true,
            "stream_idle_timeout": "0s",
            "use_remote_address": false,
            "upgrade_configs": [{"upgrade_type": "websocket"}],
            "access_log": [access_log(self.access_log)],
            "http_filters": [
                filter,
                {
                    "name": "envoy.filters.http.router",
                    "typed_config": {"@type": type_url("envoy.extensions.filters.http.router.v3.Router")},
                },
            ],
        });
        match &self.routes {
            Routes::Inline(routes) => set(&mut manager, "route_config", routes.clone()),
            Routes::Discovered(name, source) => set(
                &mut manager,
                "rds",
                json!({"route_config_name": name, "config_source": source}),
            ),
        }
        manager
    }
}
