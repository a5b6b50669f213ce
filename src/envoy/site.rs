//! Everything that one Envoy is told of its callers.

use std::net::IpAddr;

use serde_json::{Value, json, value::RawValue};

use super::callers::{Caller, Callers, InvalidCallers};
use super::route_configuration::route_configuration;
use super::{set, type_url};
use crate::config::Config;
use crate::config::gateway::ServerTLSSettings;
use crate::matcher::Regexes;
use crate::registry::Registry;
use crate::route::RouteTable;

/// Resources and callers.
#[derive(Debug, Clone, Copy)]
pub struct Site<'a> {
    /// All resources.
    pub config: &'a Config,
    /// Those that the filter reads, as they were written: a JSON list.
    pub resources: &'a RawValue,
    /// The plugin's `options`, as they were written: a JSON object.
    pub options: &'a RawValue,
    /// Who calls.
    pub callers: &'a Callers,
}

/// What stands behind one listener.
#[derive(Debug, Clone)]
pub struct Outbound {
    /// `caller/port`: the name of the listener, its routes and its filter.
    pub name: String,
    /// Where it listens.
    pub address: IpAddr,
    /// Where it listens.
    pub port: u16,
    /// Its `RouteConfiguration`.
    pub routes: Value,
    /// The filter's configuration.
    pub plugin_json: String,
    /// The transport socket of a gateway's server with TLS.
    pub transport_socket: Option<Value>,
}

impl Site<'_> {
    /// One for each caller and port, callers in order.
    pub fn outbounds(&self) -> Result<Vec<Outbound>, Vec<InvalidCallers>> {
        let registry = Registry::new(self.config);
        self.callers.check(self.config, &registry)?;
        let mut config = self.config.clone();
        let mut outbounds = Vec::new();
        for caller in &self.callers.callers {
            for port in caller.service_ports(self.config, &registry) {
                config.proxy = caller.proxy(self.config, port);
                outbounds.push(
                    self.outbound(caller, port, &config, &registry)
                        .map_err(|error| vec![error])?,
                );
            }
        }
        Ok(outbounds)
    }

    fn outbound(
        &self,
        caller: &Caller,
        port: u16,
        config: &Config,
        registry: &Registry,
    ) -> Result<Outbound, InvalidCallers> {
        let memory = usize::try_from(config.options.max_regex_bytes).unwrap_or_default();
        let (table, _) = RouteTable::compile(config, registry, &mut Regexes::new(memory));
        let name = format!("{}/{port}", caller.name);
        let proxy = &config.proxy;
        let proxy = json!({
            "namespace": proxy.namespace, "domain": proxy.domain, "labels": proxy.labels, "gateways": proxy.gateways, "port": port,
        });
        let tls = caller
            .gateways(config)
            .flat_map(|gateway| &gateway.spec.servers)
            .find_map(|server| {
                let own = server.port.as_ref().is_some_and(|own| own.number == i64::from(port));
                server.tls.as_ref().filter(|_| own).and_then(transport_socket)
            });
        Ok(Outbound {
            routes: route_configuration(&name, &table),
            address: caller.address,
            port: caller.listens_on(port)?,
            plugin_json: format!(
                r#"{{"proxy":{proxy},"options":{},"resources":{}}}"#,
                self.options.get(),
                self.resources.get()
            ),
            transport_socket: tls,
            name,
        })
    }
}

/// TLS by certificates in files; a server without them has none.
fn transport_socket(tls: &ServerTLSSettings) -> Option<Value> {
    let first = tls.tls_certificates.first();
    let chain = first.map_or(&tls.server_certificate, |pair| &pair.server_certificate);
    let key = first.map_or(&tls.private_key, |pair| &pair.private_key);
    if chain.is_empty() || key.is_empty() {
        return None;
    }
    let mut common = json!({
        "alpn_protocols": ["h2", "http/1.1"],
        "tls_certificates": [{"certificate_chain": {"filename": chain}, "private_key": {"filename": key}}],
    });
    let mutual = matches!(tls.mode.as_deref(), Some("MUTUAL" | "OPTIONAL_MUTUAL"));
    if mutual && !tls.ca_certificates.is_empty() {
        set(
            &mut common,
            "validation_context",
            json!({"trusted_ca": {"filename": tls.ca_certificates}}),
        );
    }
    Some(json!({
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": type_url("envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"),
            "common_tls_context": common,
            "require_client_certificate": tls.mode.as_deref() == Some("MUTUAL"),
        },
    }))
}
