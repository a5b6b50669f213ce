//! Who calls: the proxies that one Envoy stands for.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;

use crate::config::{Config, Proxy};
use crate::registry::Registry;

/// Workloads and gateways that send their traffic through this Envoy, each by its own listeners.
///
/// ```yaml
/// callers:
/// - name: productpage            # a workload: one listener for each HTTP port of a service
///   labels: {app: productpage}
///   offset: 10000                # service port 9080 is listened for on 19080
/// - name: ingress                # a gateway: one listener for each port of its Gateways' servers
///   gateway: true
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Callers {
    /// In the order of their listeners.
    pub callers: Vec<Caller>,
}

/// A workload or a gateway.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Caller {
    /// Its name, in listeners' and statistics' names.
    pub name: String,
    /// Its namespace, against which short names are read.
    pub namespace: String,
    /// The cluster's domain.
    pub domain: String,
    /// Its labels, which `sourceLabels` and a Gateway's selector ask for.
    pub labels: BTreeMap<String, String>,
    /// Whether it is a gateway: then it serves all Gateways whose selector its labels fulfil, or all of them if it has no labels.
    pub gateway: bool,
    /// Where its listeners listen.
    pub address: IpAddr,
    /// The service ports it calls; every HTTP port of a service it sees, if none is named.
    pub ports: Vec<u16>,
    /// Added to a port to get the one that is listened on. By default ports from 1024 on stay as they are, and of those below a workload's
    /// get 10000 more, a gateway's 8000.
    pub offset: Option<u16>,
}

impl Default for Caller {
    fn default() -> Self {
        Caller {
            name: "client".to_owned(),
            namespace: "default".to_owned(),
            domain: "cluster.local".to_owned(),
            labels: BTreeMap::new(),
            gateway: false,
            address: IpAddr::from([127, 0, 0, 1]),
            ports: Vec::new(),
            offset: None,
        }
    }
}

/// One machine: a workload without labels, and a gateway.
impl Default for Callers {
    fn default() -> Self {
        let gateway = Caller {
            name: "gateway".to_owned(),
            gateway: true,
            ..Caller::default()
        };
        Callers {
            callers: vec![Caller::default(), gateway],
        }
    }
}

/// Why callers are refused, in one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidCallers(pub String);

impl Caller {
    /// The port on which requests for a service port, or a gateway's server port, are listened for.
    pub fn listens_on(&self, port: u16) -> Result<u16, InvalidCallers> {
        let default = if self.gateway { 8000 } else { 10000 };
        let offset = self.offset.unwrap_or(if port < 1024 { default } else { 0 });
        port.checked_add(offset).ok_or_else(|| {
            InvalidCallers(format!(
                "caller {}: port {port} and offset {offset} are more than 65535; take a smaller offset",
                self.name
            ))
        })
    }

    /// The ports it calls, or serves as a gateway, in order.
    pub fn service_ports(&self, config: &Config, registry: &Registry) -> Vec<u16> {
        if !self.ports.is_empty() {
            return self.ports.clone();
        }
        let mut ports: Vec<u16> = if self.gateway {
            let servers = self.gateways(config).flat_map(|gateway| &gateway.spec.servers);
            let http = servers
                .filter_map(|server| server.port.as_ref())
                .filter(|port| !matches!(&*port.protocol, "TCP" | "TLS" | "MONGO"));
            http.filter_map(|port| u16::try_from(port.number).ok()).collect()
        } else {
            let services = registry.visible_from(&self.namespace);
            services
                .flat_map(|service| &service.ports)
                .filter(|port| port.protocol.may_be_http())
                .map(|port| port.number)
                .collect()
        };
        ports.sort_unstable();
        ports.dedup();
        ports
    }

    /// The Gateways it serves.
    pub fn gateways<'c>(
        &'c self,
        config: &'c Config,
    ) -> impl Iterator<Item = &'c crate::config::Object<crate::config::gateway::Gateway>> {
        let selected = |selector: &BTreeMap<String, String>| {
            self.labels.is_empty()
                || selector
                    .iter()
                    .all(|(name, value)| self.labels.get(name) == Some(value))
        };
        config
            .resources
            .gateways
            .iter()
            .filter(move |gateway| self.gateway && selected(&gateway.spec.selector))
    }

    /// Who the filter's proxy is for one of its ports.
    pub fn proxy(&self, config: &Config, port: u16) -> Proxy {
        let gateways = self
            .gateways(config)
            .map(|gateway| format!("{}/{}", gateway.metadata.namespace, gateway.metadata.name));
        Proxy {
            namespace: self.namespace.clone(),
            domain: self.domain.clone(),
            labels: self.labels.clone(),
            gateways: if self.gateway {
                gateways.collect()
            } else {
                vec!["mesh".to_owned()]
            },
            port: Some(i64::from(port)),
        }
    }
}

impl Callers {
    /// Two listeners cannot have one address.
    pub fn check(&self, config: &Config, registry: &Registry) -> Result<(), Vec<InvalidCallers>> {
        let mut taken: BTreeMap<(IpAddr, u16), String> = BTreeMap::new();
        let mut invalid = Vec::new();
        for caller in &self.callers {
            for port in caller.service_ports(config, registry) {
                match caller.listens_on(port) {
                    Err(error) => invalid.push(error),
                    Ok(listens_on) => {
                        let own = format!("{} for port {port}", caller.name);
                        if let Some(other) = taken.insert((caller.address, listens_on), own.clone()) {
                            let address = caller.address;
                            invalid.push(InvalidCallers(format!(
                                "{other} and {own} would both listen on {address}:{listens_on}; give one of them another address or offset"
                            )));
                        }
                    }
                }
            }
        }
        if invalid.is_empty() { Ok(()) } else { Err(invalid) }
    }
}

impl std::fmt::Display for InvalidCallers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_below_1024_are_moved_where_anyone_may_listen() {
        let (workload, gateway) = (
            Caller::default(),
            Caller {
                gateway: true,
                ..Caller::default()
            },
        );
        assert_eq!(
            (workload.listens_on(80), workload.listens_on(9080)),
            (Ok(10080), Ok(9080))
        );
        assert_eq!((gateway.listens_on(80), gateway.listens_on(443)), (Ok(8080), Ok(8443)));
        let moved = Caller {
            offset: Some(20000),
            ..Caller::default()
        };
        assert_eq!(moved.listens_on(9080), Ok(29080));
        assert!(moved.listens_on(60000).is_err());
    }
}
