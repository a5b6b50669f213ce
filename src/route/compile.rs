//! From what was written to what runs.

use crate::config::Config;
use crate::destination_rule::DestinationRules;
use crate::finding::Finding;
use crate::matcher::regex::Regexes;
use crate::registry::Registry;

use super::RouteTable;
use super::rule::{self, Compiled, Listener};
use super::virtual_hosts;

impl RouteTable {
    /// Compiles a configuration for its proxy and port. Findings are about regular expressions alone; everything else that may be wrong
    /// in a document is [`crate::validate`]'s to say, and a document that it refuses must not get here.
    pub fn compile(config: &Config, registry: &Registry, regexes: &mut Regexes) -> (RouteTable, Vec<Finding>) {
        let mut findings = Vec::new();
        let listener = Listener {
            proxy: &config.proxy,
            port: config.proxy.port.and_then(|port| u16::try_from(port).ok()),
            registry,
            destination_rules: &DestinationRules::new(config, &config.proxy, registry),
        };
        let virtual_services = super::delegate::expand(config);
        let compiled: Vec<Compiled> = virtual_services
            .iter()
            .map(|virtual_service| Compiled {
                routes: rule::compile(virtual_service, &listener, regexes, &mut findings),
                virtual_service,
            })
            .collect();
        (virtual_hosts::build(config, &listener, &compiled), findings)
    }
}
