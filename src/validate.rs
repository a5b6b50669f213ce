//! What is wrong with one document: what istiod's webhook and the schema of its custom resources would say of it, and nothing else.
//!
//! Every rule is Istio's, `ValidateVirtualService` and its siblings in istio `pkg/config/validation`; the sentences are our own. Shape (unknown
//! fields, wrong types) is not looked at here: [`crate::config`] has said it by then. What documents mean together is not either.

use crate::config::{Config, Object};
use crate::finding::Finding;
use crate::matcher::Regexes;
use document::{At, Document};

mod client_tls;
mod connection_pool;
mod cors;
mod destination;
mod destination_rule;
mod direct_response;
mod document;
mod export_to;
mod fault;
mod gateway;
mod headers;
mod http_match;
mod http_route;
mod layer4;
mod load_balancer;
mod locality;
mod mirror;
mod name;
mod one_of;
mod plugin;
mod redirect;
mod retry;
mod rewrite;
mod server_tls;
mod service_entry;
mod string_match;
mod traffic_policy;
mod unreachable;
mod value;
mod virtual_service;

/// Everything that is wrong with the plugin's own fields and with any of the documents, in their order, those of a kind together.
pub fn validate(config: &Config) -> Vec<Finding> {
    let memory = usize::try_from(config.options.max_regex_bytes).unwrap_or_default();
    validate_with(config, &mut Regexes::new(memory))
}

/// As [`validate`], with the expressions that are compiled on the way left in `regexes` for whoever needs them next.
pub fn validate_with(config: &Config, regexes: &mut Regexes) -> Vec<Finding> {
    let mut pass = Pass {
        regexes,
        findings: Vec::new(),
    };
    pass.own(config);
    let resources = &config.resources;
    pass.all(&resources.virtual_services, virtual_service::validate);
    pass.all(&resources.destination_rules, destination_rule::validate);
    pass.all(&resources.gateways, gateway::validate);
    pass.all(&resources.service_entries, service_entry::validate);
    pass.findings
}

struct Pass<'a> {
    regexes: &'a mut Regexes,
    findings: Vec<Finding>,
}

impl Pass<'_> {
    fn own(&mut self, config: &Config) {
        let document = Document::own(self.regexes);
        plugin::validate(&document.at(), config);
        self.findings.append(&mut document.into_findings());
    }

    fn all<S>(&mut self, objects: &[Object<S>], rules: impl Fn(&At, &S)) {
        for object in objects {
            let document = Document::new(object, self.regexes);
            let at = document.at();
            annotations(&at, object);
            rules(&at, &object.spec);
            self.findings.append(&mut document.into_findings());
        }
    }
}

/// Annotations that istiod keeps to itself, or does not know for these kinds.
fn annotations<S>(at: &At, object: &Object<S>) {
    const REFUSED: [&str; 4] = [
        "internal.istio.io/parents",
        "internal.istio.io/parent-namespace",
        "internal.istio.io/webhook-always-reject",
        "istio.io/dry-run",
    ];
    for name in REFUSED
        .iter()
        .filter(|name| object.metadata.annotations.contains_key(**name))
    {
        at.field("metadata.annotations")
            .field(name)
            .error("Istio does not take this annotation from users; remove it");
    }
}

#[cfg(test)]
mod tests;
