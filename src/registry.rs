//! The services that are known, from Kubernetes' Service and Istio's ServiceEntry.

use std::collections::BTreeMap;

use crate::config::Config;
use crate::hostname;
use crate::route::is_exported;

/// Services by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Registry {
    services: BTreeMap<String, Service>,
}

/// A service, as Istio sees it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Service {
    /// In full and in lower case.
    pub hostname: String,
    /// The namespace of the object that defines it.
    pub namespace: String,
    /// Its ports in order.
    pub ports: Vec<ServicePort>,
    /// The name it stands for, of type `ExternalName`.
    pub external_name: Option<String>,
    /// The namespaces that see it; empty means all.
    pub export_to: Vec<String>,
}

/// A port of a service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServicePort {
    /// The number clients use.
    pub number: u16,
    /// As `http-web`.
    pub name: String,
    /// `protocol` of a ServiceEntry, `appProtocol` of a Service; empty where only the name tells.
    pub protocol: String,
}

impl Registry {
    /// The services of a configuration. The first object that defines a name has it.
    pub fn new(config: &Config) -> Self {
        let mut registry = Registry::default();
        for object in &config.resources.services {
            let metadata = &object.metadata;
            let exports = metadata.annotations.get("networking.istio.io/exportTo");
            registry.add(Service {
                hostname: format!("{}.{}.svc.{}", metadata.name, metadata.namespace, config.proxy.domain)
                    .to_ascii_lowercase(),
                namespace: metadata.namespace.clone(),
                ports: object
                    .spec
                    .ports
                    .iter()
                    .filter_map(|port| ServicePort::new(port.port, &port.name, &port.app_protocol))
                    .collect(),
                external_name: (object.spec.r#type == "ExternalName").then(|| object.spec.external_name.clone()),
                export_to: exports
                    .map(|text| text.split(',').map(|name| name.trim().to_owned()).collect())
                    .unwrap_or_default(),
            });
        }
        for object in &config.resources.service_entries {
            for host in &object.spec.hosts {
                registry.add(Service {
                    hostname: hostname::resolve(host, &object.metadata.namespace, &config.proxy.domain),
                    namespace: object.metadata.namespace.clone(),
                    ports: object
                        .spec
                        .ports
                        .iter()
                        .filter_map(|port| ServicePort::new(port.number, &port.name, &port.protocol))
                        .collect(),
                    external_name: None,
                    export_to: object.spec.export_to.clone(),
                });
            }
        }
        registry
    }

    fn add(&mut self, service: Service) {
        self.services.entry(service.hostname.clone()).or_insert(service);
    }

    /// The service of a full name in lower case.
    pub fn service(&self, hostname: &str) -> Option<&Service> {
        self.services.get(hostname)
    }

    /// The services that `namespace` sees, by name.
    pub fn visible_from<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = &'a Service> {
        self.services
            .values()
            .filter(move |service| is_exported(&service.export_to, &service.namespace, namespace))
    }
}

impl Service {
    /// The number of its port, if it has no other.
    pub fn only_port(&self) -> Option<u16> {
        match &*self.ports {
            [port] => Some(port.number),
            _ => None,
        }
    }

    /// Whether it has a port of this number.
    pub fn has_port(&self, number: u16) -> bool {
        self.ports.iter().any(|port| port.number == number)
    }
}

impl ServicePort {
    fn new(number: i64, name: &str, protocol: &str) -> Option<Self> {
        Some(ServicePort {
            number: u16::try_from(number).ok()?,
            name: name.to_owned(),
            protocol: protocol.to_owned(),
        })
    }
}
