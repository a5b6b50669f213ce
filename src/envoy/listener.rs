//! `envoy.config.listener.v3.Listener`: where callers find Envoy, and the filter behind it.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::message::{extension, message};

/// Where one caller finds one service port, or a gateway's clients one of its ports.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Address {
    pub ip: IpAddr,
    pub port: u16,
}

/// What a listener is made of.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Listener {
    /// Also its routes', its filter's and its statistics'.
    pub name: String,
    pub address: Address,
    /// Whether strangers connect to it.
    pub is_edge: bool,
    /// For the names under which TLS is accepted; empty for plain text.
    pub tls: Vec<TlsServer>,
    /// Whether a service behind it speaks gRPC to browsers, for which Envoy translates.
    pub grpc_web: bool,
    /// `route_config` or `rds`.
    pub routes: (&'static str, Value),
    /// The filter; none where Envoy's own routes are all there is.
    pub filter: Option<Value>,
    pub access_log: Option<Value>,
}

/// A server of a gateway that accepts TLS.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TlsServer {
    /// The names clients may ask for; empty for any.
    pub server_names: Vec<String>,
    pub transport_socket: Value,
}

impl Listener {
    /// The message.
    pub fn value(&self) -> Value {
        let inspector = || {
            let name = "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector";
            json!([extension("envoy.filters.listener.tls_inspector", name, json!({}))])
        };
        let plain = || vec![json!({"filters": [self.connection_manager()]})];
        let chains: Vec<Value> = self.tls.iter().map(|server| self.filter_chain(server)).collect();
        message(json!({
            "name": self.name,
            "address": {"socket_address": {"address": self.address.ip, "port_value": self.address.port}},
            "traffic_direction": "OUTBOUND",
            "listener_filters": (!chains.is_empty()).then(inspector),
            "filter_chains": if chains.is_empty() { plain() } else { chains },
        }))
    }

    fn filter_chain(&self, server: &TlsServer) -> Value {
        let names = &server.server_names;
        json!({
            "filter_chain_match": (!names.is_empty()).then(|| json!({"server_names": names})),
            "transport_socket": server.transport_socket,
            "filters": [self.connection_manager()],
        })
    }

    fn connection_manager(&self) -> Value {
        let router = extension(
            "envoy.filters.http.router",
            "envoy.extensions.filters.http.router.v3.Router",
            json!({}),
        );
        // It stands first: rules, faults and timeouts are for the gRPC that comes out of it.
        let name = "envoy.extensions.filters.http.grpc_web.v3.GrpcWeb";
        let grpc_web = self
            .grpc_web
            .then(|| extension("envoy.filters.http.grpc_web", name, json!({})));
        let filters: Vec<&Value> = grpc_web.iter().chain(&self.filter).chain([&router]).collect();
        let (routes, value) = &self.routes;
        let config = json!({
            "stat_prefix": self.name,
            "normalize_path": true,
            "stream_idle_timeout": "0s",
            "use_remote_address": self.is_edge.then_some(true),
            "upgrade_configs": [{"upgrade_type": "websocket"}],
            // The upstream says whether it wants the body.
            "proxy_100_continue": true,
            "access_log": self.access_log.as_ref().map(|log| json!([log])),
            (*routes): value,
            "http_filters": filters,
        });
        extension(
            "envoy.filters.network.http_connection_manager",
            "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            config,
        )
    }
}
