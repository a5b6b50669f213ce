//! From what was written to what runs.

use std::sync::Arc;

use crate::config::Config;
use crate::destination_rule::DestinationRules;
use crate::finding::Finding;
use crate::matcher::regex::Regexes;
use crate::registry::Registry;

use super::rule::{self, Before, Compiled, Listener};
use super::virtual_hosts;
use super::{RouteTable, Routes};

/// The routes of each resource, by its position: a VirtualService's that has some.
pub(crate) type CompiledRoutes = Vec<Option<Arc<Routes>>>;

impl RouteTable {
    /// Compiles a configuration for its proxy and port. Findings are about regular expressions alone; everything else that may be wrong
    /// in a document is [`crate::validate`]'s to say, and a document that it refuses must not get here.
    pub fn compile(config: &Config, registry: &Registry, regexes: &mut Regexes) -> (RouteTable, Vec<Finding>) {
        let (table, _, findings) = RouteTable::compile_rest(config, registry, &Before::default(), regexes);
        (table, findings)
    }

    /// As [`compile`](Self::compile), but for what was compiled `before`; those rules need not be in the configuration. What all of them
    /// came to comes back too.
    pub(crate) fn compile_rest(
        config: &Config,
        registry: &Registry,
        before: &Before,
        regexes: &mut Regexes,
    ) -> (RouteTable, CompiledRoutes, Vec<Finding>) {
        let mut findings = Vec::new();
        let are_hashing = config.resources.destination_rules.iter().any(|rule| rule.spec.hashes());
        let hashing = are_hashing.then(|| DestinationRules::new(config, &config.proxy, registry));
        let listener = Listener {
            proxy: &config.proxy,
            port: config.proxy.port.and_then(|port| u16::try_from(port).ok()),
            registry,
            destination_rules: hashing.as_ref(),
        };
        let virtual_services = super::delegate::expand(config);
        let compiled: Vec<Compiled> = virtual_services
            .iter()
            .map(|virtual_service| Compiled {
                routes: rule::compile(virtual_service, &listener, &before.routes, regexes, &mut findings),
                virtual_service,
            })
            .collect();
        let table = virtual_hosts::build(config, &listener, &compiled, &before.domains);
        let mut routes = vec![None; config.resources.len()];
        for compiled in compiled {
            if let Some(own) = routes.get_mut(compiled.virtual_service.object.resource) {
                *own = compiled.routes;
            }
        }
        (table, routes, findings)
    }
}
