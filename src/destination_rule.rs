//! Which DestinationRule holds for a host, as a proxy sees it.
//!
//! ```text
//! DestinationRules::rule(host) ──▶ MergedRule ── policy(port, subset) ──▶ Policy
//! ```
//!
//! `destinationRule` and `mergeDestinationRule`, istio `pilot/pkg/model/push_context.go` and `destination_rule.go`.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;

use crate::config::destination_rule::{DestinationRule, Subset, TrafficPolicy};
use crate::config::{Config, Object, Proxy, oldest_first};
use crate::hostname;
use crate::registry::Registry;
pub use policy::Policy;

mod policy;

/// The namespace whose rules hold for everyone that has no other, as Istio is installed.
const ROOT_NAMESPACE: &str = "istio-system";

/// The rules of a configuration, for one proxy.
#[derive(Debug, Clone)]
pub struct DestinationRules<'a> {
    proxy: &'a Proxy,
    registry: &'a Registry,
    /// What a namespace says to its own proxies.
    own: HashMap<&'a str, Hosts<'a>>,
    /// What it says to others.
    exported: HashMap<&'a str, Hosts<'a>>,
}

/// The rules of a namespace by host; for one host those apart that have different audiences.
#[derive(Debug, Clone, Default)]
struct Hosts<'a> {
    exact: HashMap<String, Vec<MergedRule<'a>>>,
    wildcards: BTreeMap<String, Vec<MergedRule<'a>>>,
}

/// All rules of one namespace and one audience for a host, as one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MergedRule<'a> {
    /// What it was made of, oldest first.
    pub objects: Vec<&'a Object<DestinationRule>>,
    /// The oldest rule's that has one.
    pub traffic_policy: Option<&'a TrafficPolicy>,
    /// Those of all rules; of two with one name, the older rule's.
    pub subsets: Vec<&'a Subset>,
    audience: Audience<'a>,
}

/// Whom a rule is for.
#[derive(Debug, Clone, Default, PartialEq)]
struct Audience<'a> {
    /// One that selects workloads stays in its namespace.
    export_to: BTreeSet<&'a str>,
    workloads: Option<&'a BTreeMap<String, String>>,
}

impl<'a> DestinationRules<'a> {
    /// The rules of a configuration, as `proxy` sees them.
    pub fn new(config: &'a Config, proxy: &'a Proxy, registry: &'a Registry) -> Self {
        let rules = oldest_first(config.resources.destination_rules.iter());
        let (mut own, mut exported) = (HashMap::<_, Hosts>::new(), HashMap::<_, Hosts>::new());
        for rule in rules {
            let namespace = rule.metadata.namespace.as_str();
            let audience = Audience::new(&rule.spec);
            if audience.sees(namespace) || audience.export_to.contains(".") {
                own.entry(namespace).or_default().add(rule, &audience, &proxy.domain);
            }
            if audience.reaches_beyond(namespace) {
                let hosts = exported.entry(namespace).or_default();
                hosts.add(rule, &audience, &proxy.domain);
            }
        }
        DestinationRules {
            proxy,
            registry,
            own,
            exported,
        }
    }

    /// The rule for a host in full: of the proxy's namespace, else of the service's, else of Istio's own. In a namespace the most
    /// specific host wins.
    pub fn rule(&self, host: &str) -> Option<&MergedRule<'a>> {
        let own = self.proxy.namespace.as_str();
        let known = self.registry.service(host).map(|service| service.namespace.as_str());
        let home = known.or_else(|| hostname::service(host, &self.proxy.domain).map(|(_, namespace)| namespace));
        let exported = |namespace| {
            let rules = self.exported.get(namespace)?.find(host)?;
            let seen: Vec<_> = rules.iter().filter(|rule| rule.audience.sees(own)).collect();
            (!seen.is_empty()).then_some(seen)
        };
        // What Istio's own namespace says to everyone comes last there too.
        let private = |rules: &&[MergedRule]| {
            own != ROOT_NAMESPACE || rules.iter().all(|rule| !rule.audience.reaches_beyond(own))
        };
        let local = self.own.get(own).and_then(|hosts| hosts.find(host)).filter(private);
        let candidates = local
            .map(|rules| rules.iter().collect())
            .or_else(|| exported(home?))
            .or_else(|| exported(ROOT_NAMESPACE))?;
        self.for_workload(&candidates)
    }

    /// The first rule that selects this proxy, else the last that selects none.
    fn for_workload<'s>(&self, candidates: &[&'s MergedRule<'a>]) -> Option<&'s MergedRule<'a>> {
        let labelled = |(name, value): (&String, &String)| self.proxy.labels.get(name) == Some(value);
        let selects = |rule: &&&MergedRule| {
            rule.audience
                .workloads
                .is_some_and(|labels| labels.iter().all(labelled))
        };
        let for_all = |rule: &&&MergedRule| rule.audience.workloads.is_none();
        let chosen = candidates.iter().find(selects);
        chosen.or_else(|| candidates.iter().rfind(for_all)).copied()
    }
}

impl<'a> Hosts<'a> {
    fn add(&mut self, rule: &'a Object<DestinationRule>, audience: &Audience<'a>, domain: &str) {
        let host = hostname::resolve(&rule.spec.host, &rule.metadata.namespace, domain);
        let rules = if host.starts_with('*') {
            self.wildcards.entry(host).or_default()
        } else {
            self.exact.entry(host).or_default()
        };
        let mut stands_alone = true;
        for other in rules.iter_mut().filter(|other| audience.includes(&other.audience)) {
            other.add(rule);
            stands_alone = *audience != other.audience;
        }
        if stands_alone {
            let mut merged = MergedRule {
                audience: audience.clone(),
                ..MergedRule::default()
            };
            merged.add(rule);
            rules.push(merged);
        }
    }

    fn find(&self, host: &str) -> Option<&[MergedRule<'a>]> {
        let covering = || {
            let wildcards = self.wildcards.iter();
            let covering = wildcards.filter(|(pattern, _)| hostname::covers(pattern, host));
            covering
                .max_by_key(|(pattern, _)| pattern.len())
                .map(|(_, rules)| rules)
        };
        self.exact.get(host).or_else(covering).map(Vec::as_slice)
    }
}

impl<'a> Audience<'a> {
    fn new(rule: &'a DestinationRule) -> Self {
        let workloads = rule.workload_selector.as_ref();
        let mut export_to = BTreeSet::new();
        match workloads {
            Some(_) => export_to.extend(["."]),
            None => export_to.extend(rule.export_to.iter().map(String::as_str)),
        }
        Audience {
            export_to,
            workloads: workloads.map(|selector| &selector.match_labels),
        }
    }

    /// Whether a namespace is named.
    fn sees(&self, namespace: &str) -> bool {
        let names = &self.export_to;
        names.is_empty() || names.contains("*") || names.contains(namespace)
    }

    fn reaches_beyond(&self, home: &str) -> bool {
        let names = &self.export_to;
        names.is_empty() || names.iter().any(|name| *name != "." && *name != home)
    }

    /// Whether a rule for this audience adds to one for the other.
    fn includes(&self, other: &Audience) -> bool {
        let wider = !other.export_to.is_empty() && self.export_to.is_superset(&other.export_to);
        self == other || wider && self.workloads == other.workloads
    }
}

impl<'a> MergedRule<'a> {
    fn add(&mut self, object: &'a Object<DestinationRule>) {
        for subset in &object.spec.subsets {
            if self.subset(&subset.name).is_none() {
                self.subsets.push(subset);
            }
        }
        self.traffic_policy = self.traffic_policy.or(object.spec.traffic_policy.as_deref());
        self.objects.push(object);
    }

    /// The subset of a name.
    pub fn subset(&self, name: &str) -> Option<&'a Subset> {
        self.subsets.iter().copied().find(|subset| subset.name == name)
    }
}

#[cfg(test)]
mod tests;
