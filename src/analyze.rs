//! What is to be said of documents together: references to nothing, rules that nothing reaches, settings that do nothing.
//!
//! A configuration with such findings runs, as it does in Istio. Codes are those of `istioctl analyze` where it reports the same fact, and
//! `SWY01..` for what it does not see. One document's own mistakes are [`crate::validate`]'s.

use crate::config::virtual_service::VirtualService;
use crate::config::{Config, Object};
use crate::finding::{Finding, Related, Severity, Sort};
use crate::registry::Registry;
use reference::Destinations;

mod contradiction;
mod delegates;
mod destination_rules;
mod effects;
mod gateways;
mod hosts;
mod reach;
mod redirect_loop;
mod reference;
mod rules;

/// Everything, in the order of the documents.
pub fn analyze(config: &Config, registry: &Registry) -> Vec<Finding> {
    let mut findings = Findings::default();
    let destinations = Destinations::new(config, registry);
    for object in &config.resources.virtual_services {
        destinations.check(object, &mut findings);
        gateways::named(object, config, &mut findings);
        effects::check(object, config, registry, &mut findings);
    }
    delegates::check(config, &mut findings);
    hosts::shared(config, &mut findings);
    gateways::conflicts(config, &mut findings);
    destination_rules::check(config, registry, &mut findings);
    reach::check(config, &mut findings);
    findings.sorted()
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    /// Adds one about an object, and gives it back for whatever else belongs to it.
    fn add<S>(
        &mut self,
        object: &Object<S>,
        (severity, code): (Severity, &'static str),
        path: impl Into<String>,
        message: impl Into<String>,
    ) -> About<'_> {
        self.0.push(Finding {
            severity,
            sort: Sort::Analysis,
            code,
            resource: Some(object.resource),
            object: object.reference(),
            path: path.into(),
            message: message.into(),
            related: Vec::new(),
        });
        About(self.0.last_mut())
    }

    fn sorted(mut self) -> Vec<Finding> {
        self.0.sort_by_key(|finding| finding.resource);
        self.0
    }
}

/// A finding that was added.
struct About<'f>(Option<&'f mut Finding>);

impl About<'_> {
    /// Names another place.
    fn also<S>(self, object: &Object<S>, path: impl Into<String>, message: impl Into<String>) -> Self {
        if let Some(finding) = self.0 {
            finding.related.push(Related {
                resource: object.resource,
                path: path.into(),
                message: message.into(),
            });
            return About(Some(finding));
        }
        self
    }
}

/// An object as messages name it.
fn name<S>(object: &Object<S>) -> String {
    format!("{}/{}", object.metadata.namespace, object.metadata.name)
}

/// Whether sidecars have its rules.
fn is_for_sidecars(spec: &VirtualService) -> bool {
    spec.gateways.is_empty() || spec.gateways.iter().any(|gateway| gateway == "mesh")
}

/// `; did you mean x?`, if one of the names is near.
fn suggestion<'n>(name: &str, names: impl IntoIterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let near = crate::config::nearest(name, &names);
    near.map(|near| format!("; did you mean {near}?")).unwrap_or_default()
}

/// `a`, `a and b`, `a, b and c`.
fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [head @ .., last] => format!("{} and {last}", head.join(", ")),
    }
}

#[cfg(test)]
mod tests;
