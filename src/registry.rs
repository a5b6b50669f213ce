//! The services that are known, from Kubernetes' Service and Istio's ServiceEntry.

use std::collections::BTreeMap;

use crate::config::service_entry::ServiceEntry;
use crate::config::{Config, Object, kubernetes};
use crate::hostname;
use crate::registry::protocol::Protocol;
use crate::route::is_exported;
use endpoint::Workloads;
pub use endpoint::{Endpoint, Locality};

mod endpoint;
pub mod protocol;

/// Services by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Registry {
    services: BTreeMap<String, Service>,
}

/// A service, as Istio sees it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Service {
    /// In full and in lower case; a ServiceEntry's may be a wildcard.
    pub hostname: String,
    /// The namespace of the object that defines it.
    pub namespace: String,
    /// Its ports in order.
    pub ports: Vec<ServicePort>,
    /// The name it stands for, of type `ExternalName`.
    pub external_name: Option<String>,
    /// The namespaces that see it; empty means all.
    pub export_to: Vec<String>,
    /// How its endpoints are found.
    pub resolution: Resolution,
    /// Whether it lies outside of the mesh.
    pub is_external: bool,
    /// Names its certificates may have.
    pub subject_alt_names: Vec<String>,
    /// Where it is served.
    pub endpoints: Vec<Endpoint>,
}

/// How the endpoints of a service are found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Resolution {
    /// They are listed.
    #[default]
    Static,
    /// Their names are looked up, and every address is an endpoint.
    Dns,
    /// Their names are looked up, and one address at a time is the endpoint.
    DnsRoundRobin,
    /// The name that a request asks for is looked up.
    DynamicDns,
    /// The client has resolved the name already.
    None,
}

/// A port of a service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServicePort {
    /// The number clients use.
    pub number: u16,
    /// As `http-web`.
    pub name: String,
    /// What it carries.
    pub protocol: Protocol,
    /// The endpoints' port where they do not say it themselves; none for the same number.
    pub target: Option<u16>,
}

impl Registry {
    /// The services of a configuration: Kubernetes' own before those of ServiceEntries, of which the first that defines a name has it.
    pub fn new(config: &Config) -> Self {
        let mut registry = Registry::default();
        let workloads = Workloads::new(&config.resources);
        for object in &config.resources.services {
            registry.add(Service::kubernetes(object, &config.proxy.domain, &workloads));
        }
        for object in &config.resources.service_entries {
            for host in &object.spec.hosts {
                registry.add(Service::entry(object, host, &config.proxy.domain));
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

    /// All services, by name.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.services.values()
    }

    /// The services that `namespace` sees, by name.
    pub fn visible_from<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = &'a Service> {
        self.services()
            .filter(move |service| service.is_visible_from(namespace))
    }
}

impl Service {
    fn kubernetes(object: &Object<kubernetes::Service>, domain: &str, workloads: &Workloads) -> Self {
        let (metadata, spec) = (&object.metadata, &object.spec);
        let exports = metadata.annotations.get("networking.istio.io/exportTo");
        let port = |port: &kubernetes::ServicePort| {
            let number = port_number(port.port)?;
            Some(ServicePort {
                number,
                name: port.name.clone(),
                protocol: Protocol::of_kubernetes_port(number, &port.name, &port.app_protocol, &port.protocol),
                target: None,
            })
        };
        Service {
            hostname: format!("{}.{}.svc.{domain}", metadata.name, metadata.namespace).to_ascii_lowercase(),
            namespace: metadata.namespace.clone(),
            ports: spec.ports.iter().filter_map(port).collect(),
            external_name: (spec.r#type == "ExternalName").then(|| spec.external_name.to_ascii_lowercase()),
            export_to: exports
                .map(|text| text.split(',').map(|name| name.trim().to_owned()).collect())
                .unwrap_or_default(),
            endpoints: workloads.endpoints(&metadata.namespace, &metadata.name),
            ..Service::default()
        }
    }

    fn entry(object: &Object<ServiceEntry>, host: &str, domain: &str) -> Self {
        let (namespace, spec) = (&object.metadata.namespace, &object.spec);
        let resolution = Resolution::parse(spec.resolution.as_deref());
        let hostname = hostname::resolve(host, namespace, domain);
        let itself = spec.endpoints.is_empty()
            && spec.workload_selector.is_none()
            && matches!(resolution, Resolution::Dns | Resolution::DnsRoundRobin);
        let endpoints = if itself {
            vec![Endpoint::of_address(&hostname)]
        } else {
            spec.endpoints.iter().map(Endpoint::entry).collect()
        };
        let ports = spec.ports.iter().filter_map(|port| {
            Some(ServicePort {
                number: port_number(port.number)?,
                name: port.name.clone(),
                protocol: Protocol::parse(&port.protocol),
                target: port_number(port.target_port),
            })
        });
        Service {
            namespace: namespace.clone(),
            ports: ports.collect(),
            export_to: spec.export_to.clone(),
            is_external: spec.location.as_deref() != Some("MESH_INTERNAL"),
            subject_alt_names: spec.subject_alt_names.clone(),
            external_name: None,
            hostname,
            resolution,
            endpoints,
        }
    }

    /// Whether `exportTo` lets a namespace see it.
    pub fn is_visible_from(&self, namespace: &str) -> bool {
        is_exported(&self.export_to, &self.namespace, namespace)
    }

    /// The name its clusters bear: its own, or the one it stands for.
    pub fn target(&self) -> &str {
        self.external_name.as_deref().unwrap_or(&self.hostname)
    }

    /// The endpoint that its name is, where nothing else is known of it: of type `ExternalName`, or one that clients look up themselves.
    pub fn itself(&self) -> Option<Endpoint> {
        let looked_up_by_clients =
            self.resolution == Resolution::None && self.endpoints.is_empty() && !self.hostname.starts_with('*');
        (self.external_name.is_some() || looked_up_by_clients).then(|| Endpoint::of_address(self.target()))
    }

    /// The number of its port, if it has no other.
    pub fn only_port(&self) -> Option<u16> {
        match &*self.ports {
            [port] => Some(port.number),
            _ => None,
        }
    }

    /// Whether it has a port of this number.
    pub fn has_port(&self, number: u16) -> bool {
        self.port(number).is_some()
    }

    /// Its port of this number.
    pub fn port(&self, number: u16) -> Option<&ServicePort> {
        self.ports.iter().find(|port| port.number == number)
    }
}

impl Resolution {
    fn parse(name: Option<&str>) -> Self {
        match name {
            Some("STATIC") => Resolution::Static,
            Some("DNS") => Resolution::Dns,
            Some("DNS_ROUND_ROBIN") => Resolution::DnsRoundRobin,
            Some("DYNAMIC_DNS") => Resolution::DynamicDns,
            _ => Resolution::None,
        }
    }
}

/// A port that can be; 0 is none.
fn port_number(number: i64) -> Option<u16> {
    u16::try_from(number).ok().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests;
