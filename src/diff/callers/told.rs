//! What documents tell callers apart by.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Config;
use crate::config::virtual_service::HTTPMatchRequest;
use crate::registry::Registry;
use crate::route::gateway_name;

/// Namespaces, labels, ports and gateways that some document names.
#[derive(Debug)]
pub(super) struct Told {
    pub namespaces: BTreeSet<String>,
    pub labels: BTreeSet<BTreeMap<String, String>>,
    pub ports: BTreeSet<u16>,
    /// By name, with the ports of their servers.
    pub gateways: BTreeMap<String, BTreeSet<u16>>,
}

impl Default for Told {
    fn default() -> Self {
        Told {
            namespaces: BTreeSet::from(["default".to_owned()]),
            labels: BTreeSet::new(),
            ports: BTreeSet::new(),
            gateways: BTreeMap::new(),
        }
    }
}

impl Told {
    pub fn read(&mut self, config: &Config, registry: &Registry) {
        let services = registry.services().flat_map(|service| &service.ports);
        self.ports.extend(services.map(|port| port.number));
        for object in &config.resources.virtual_services {
            let home = &object.metadata.namespace;
            self.exported(&object.spec.export_to, home);
            self.named(&object.spec.gateways, home);
            for entry in object.spec.http.iter().flat_map(|rule| &rule.r#match) {
                self.entry(entry, home);
            }
        }
        for object in &config.resources.destination_rules {
            self.exported(&object.spec.export_to, &object.metadata.namespace);
            if let Some(selector) = &object.spec.workload_selector {
                self.namespaces.insert(object.metadata.namespace.clone());
                self.labels.insert(selector.match_labels.clone());
            }
        }
        for object in &config.resources.gateways {
            let name = format!("{}/{}", object.metadata.namespace, object.metadata.name);
            let ports = object.spec.servers.iter().filter_map(|server| server.port.as_ref());
            let ports = ports.filter_map(|port| u16::try_from(port.number).ok());
            self.gateways.entry(name).or_default().extend(ports);
        }
    }

    fn entry(&mut self, entry: &HTTPMatchRequest, home: &str) {
        if !entry.source_namespace.is_empty() {
            self.namespaces.insert(entry.source_namespace.clone());
        }
        if !entry.source_labels.is_empty() {
            self.labels.insert(entry.source_labels.clone());
        }
        self.ports
            .extend(u16::try_from(entry.port).ok().filter(|port| *port > 0));
        self.named(&entry.gateways, home);
    }

    fn named(&mut self, gateways: &[String], home: &str) {
        for gateway in gateways.iter().filter(|gateway| *gateway != "mesh") {
            self.gateways.entry(gateway_name(gateway, home)).or_default();
        }
    }

    /// A namespace that sees what others do not.
    fn exported(&mut self, to: &[String], home: &str) {
        for name in to.iter().filter(|name| *name != "*") {
            let name = if name == "." { home } else { name };
            self.namespaces.insert(name.to_owned());
        }
    }
}
