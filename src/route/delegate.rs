//! VirtualServices with the rules they delegate to others.
//!
//! `mergeVirtualServicesIfNeeded`, istio `pilot/pkg/model/virtualservice.go`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::config::virtual_service::{Delegate, Destination, HTTPMatchRequest, HTTPRoute, StringMatch, VirtualService};
use crate::config::{Config, Object, oldest_first};
use crate::hostname;

/// A VirtualService of which every rule is its own.
pub(crate) struct Expanded<'a> {
    pub object: &'a Object<VirtualService>,
    pub rules: Vec<ExpandedRule<'a>>,
}

/// A rule, and where it was written.
pub(crate) struct ExpandedRule<'a> {
    pub http: usize,
    pub delegate: Option<(&'a Object<VirtualService>, usize)>,
    pub rule: Cow<'a, HTTPRoute>,
}

impl<'a> Expanded<'a> {
    /// A VirtualService with the rules it has itself, none of which delegates.
    pub fn alone(object: &'a Object<VirtualService>) -> Self {
        let rules = object.spec.http.iter().enumerate();
        let rules = rules.filter(|(_, rule)| rule.delegate.is_none());
        Expanded {
            object,
            rules: rules
                .map(|(http, rule)| ExpandedRule {
                    http,
                    delegate: None,
                    rule: Cow::Borrowed(rule),
                })
                .collect(),
        }
    }
}

/// The VirtualServices that have hosts, oldest first, each rule that delegates replaced by what it delegates to. A delegate that is not
/// there, or that nothing of can ever match, leaves its rule out.
pub(crate) fn expand(config: &Config) -> Vec<Expanded<'_>> {
    let domain = &config.proxy.domain;
    let all = || config.resources.virtual_services.iter();
    let roots = oldest_first(all().filter(|object| !object.spec.hosts.is_empty()));
    let mut leaves: BTreeMap<(&str, &str), &Object<VirtualService>> = BTreeMap::new();
    for leaf in all().filter(|object| object.spec.hosts.is_empty()) {
        leaves.insert((&leaf.metadata.namespace, &leaf.metadata.name), leaf);
    }
    let leaf_of = |delegate: &Delegate, root: &Object<VirtualService>| {
        let namespace = if delegate.namespace.is_empty() {
            &root.metadata.namespace
        } else {
            &delegate.namespace
        };
        let leaf = leaves.get(&(namespace.as_str(), delegate.name.as_str())).copied()?;
        is_exported(&leaf.spec.export_to, &leaf.metadata.namespace, &root.metadata.namespace).then_some(leaf)
    };
    roots
        .into_iter()
        .map(|object| {
            let rules = object.spec.http.iter().enumerate();
            let rules = rules.flat_map(|(http, rule)| match &rule.delegate {
                None => vec![ExpandedRule {
                    http,
                    delegate: None,
                    rule: Cow::Borrowed(rule),
                }],
                Some(delegate) => {
                    let leaf = leaf_of(delegate, object);
                    leaf.map(|leaf| merged(object, http, rule, leaf, domain))
                        .unwrap_or_default()
                }
            });
            Expanded {
                object,
                rules: rules.collect(),
            }
        })
        .collect()
}

/// Whether `exportTo` of an object in `home` lets `namespace` see it.
pub(crate) fn is_exported(export_to: &[String], home: &str, namespace: &str) -> bool {
    let sees = |export: &str| export == "*" || export == "." && home == namespace || export == namespace;
    export_to.is_empty() || export_to.iter().any(|export| sees(export))
}

fn merged<'a>(
    root: &Object<VirtualService>,
    http: usize,
    rule: &HTTPRoute,
    leaf: &'a Object<VirtualService>,
    domain: &str,
) -> Vec<ExpandedRule<'a>> {
    let mut root_rule = rule.clone();
    resolve(&mut root_rule, &root.metadata.namespace, domain);
    let leaves = leaf.spec.http.iter().enumerate();
    let merge = |(index, leaf_rule): (usize, &HTTPRoute)| {
        let mut rule = leaf_rule.clone();
        resolve(&mut rule, &leaf.metadata.namespace, domain);
        let matches = merge_matches(&root_rule.r#match, &rule.r#match)?;
        fill(&mut rule, &root_rule);
        rule.r#match = matches;
        Some(ExpandedRule {
            http,
            delegate: Some((leaf, index)),
            rule: Cow::Owned(rule),
        })
    };
    leaves.filter_map(merge).collect()
}

/// Short names mean services of the namespace in which they were written, wherever the rule ends up.
fn resolve(rule: &mut HTTPRoute, namespace: &str, domain: &str) {
    let routes = rule.route.iter_mut().filter_map(|route| route.destination.as_mut());
    let mirrors = rule.mirrors.iter_mut().filter_map(|mirror| mirror.destination.as_mut());
    let name =
        |destination: &mut Destination| destination.host = hostname::resolve(&destination.host, namespace, domain);
    routes.chain(mirrors).chain(rule.mirror.as_mut()).for_each(name);
}

/// What the leaf does not say, the root does. Routes and redirects are the leaf's alone.
fn fill(leaf: &mut HTTPRoute, root: &HTTPRoute) {
    fn or<T: Clone>(leaf: &mut Option<T>, root: &Option<T>) {
        if leaf.is_none() {
            leaf.clone_from(root);
        }
    }
    if leaf.name.is_empty() || root.name.is_empty() {
        leaf.name.push_str(&root.name);
    } else {
        leaf.name = format!("{}-{}", root.name, leaf.name);
    }
    or(&mut leaf.rewrite, &root.rewrite);
    or(&mut leaf.direct_response, &root.direct_response);
    or(&mut leaf.timeout, &root.timeout);
    or(&mut leaf.retries, &root.retries);
    or(&mut leaf.fault, &root.fault);
    or(&mut leaf.mirror, &root.mirror);
    or(&mut leaf.mirror_percent, &root.mirror_percent);
    or(&mut leaf.mirror_percentage, &root.mirror_percentage);
    or(&mut leaf.cors_policy, &root.cors_policy);
    or(&mut leaf.headers, &root.headers);
    if leaf.mirrors.is_empty() {
        leaf.mirrors.clone_from(&root.mirrors);
    }
}

/// Every pair that can hold together; nothing at all if a leaf's match goes with none of the root's.
fn merge_matches(root: &[HTTPMatchRequest], leaf: &[HTTPMatchRequest]) -> Option<Vec<HTTPMatchRequest>> {
    if root.is_empty() || leaf.is_empty() {
        return Some([root, leaf].concat());
    }
    let mut merged = Vec::new();
    for leaf in leaf {
        let before = merged.len();
        merged.extend(
            root.iter()
                .filter(|root| !conflicts(root, leaf))
                .map(|root| merge_match(root, leaf)),
        );
        if merged.len() == before {
            return None;
        }
    }
    Some(merged)
}

fn merge_match(root: &HTTPMatchRequest, leaf: &HTTPMatchRequest) -> HTTPMatchRequest {
    fn union<T: Clone>(root: &BTreeMap<String, T>, leaf: &BTreeMap<String, T>) -> BTreeMap<String, T> {
        let mut all = root.clone();
        all.extend(leaf.clone());
        all
    }
    let text = |root: &str, leaf: &str| {
        if leaf.is_empty() {
            root.to_owned()
        } else {
            leaf.to_owned()
        }
    };
    let joined = if root.name.is_empty() || leaf.name.is_empty() {
        ""
    } else {
        "-"
    };
    HTTPMatchRequest {
        name: format!("{}{joined}{}", root.name, leaf.name),
        uri: leaf.uri.clone().or_else(|| root.uri.clone()),
        scheme: leaf.scheme.clone().or_else(|| root.scheme.clone()),
        method: leaf.method.clone().or_else(|| root.method.clone()),
        authority: leaf.authority.clone().or_else(|| root.authority.clone()),
        headers: union(&root.headers, &leaf.headers),
        port: if leaf.port == 0 { root.port } else { leaf.port },
        source_labels: union(&root.source_labels, &leaf.source_labels),
        gateways: if leaf.gateways.is_empty() {
            root.gateways.clone()
        } else {
            leaf.gateways.clone()
        },
        query_params: union(&root.query_params, &leaf.query_params),
        ignore_uri_case: leaf.ignore_uri_case || root.ignore_uri_case,
        without_headers: union(&root.without_headers, &leaf.without_headers),
        source_namespace: text(&root.source_namespace, &leaf.source_namespace),
        stat_prefix: text(&root.stat_prefix, &leaf.stat_prefix),
    }
}

/// Whether istiod sees that both can never hold together, or cannot tell.
fn conflicts(root: &HTTPMatchRequest, leaf: &HTTPMatchRequest) -> bool {
    let maps = |root: &BTreeMap<String, StringMatch>, leaf: &BTreeMap<String, StringMatch>| {
        root.iter().any(|(name, value)| {
            leaf.get(name)
                .is_some_and(|leaf| strings_conflict(Some(value), Some(leaf)))
        })
    };
    strings_conflict(root.uri.as_ref(), leaf.uri.as_ref())
        || strings_conflict(root.scheme.as_deref(), leaf.scheme.as_deref())
        || strings_conflict(root.method.as_deref(), leaf.method.as_deref())
        || strings_conflict(root.authority.as_deref(), leaf.authority.as_deref())
        || maps(&root.headers, &leaf.headers)
        || maps(&root.without_headers, &leaf.without_headers)
        || maps(&root.query_params, &leaf.query_params)
        || root.ignore_uri_case != leaf.ignore_uri_case
        || root.port > 0 && leaf.port > 0 && root.port != leaf.port
        || !root.source_namespace.is_empty() && root.source_namespace != leaf.source_namespace
        || root
            .source_labels
            .iter()
            .any(|(name, value)| leaf.source_labels.get(name).is_some_and(|leaf| leaf != value))
        || !root.gateways.is_empty() && leaf.gateways.iter().any(|gateway| !root.gateways.contains(gateway))
}

fn strings_conflict(root: Option<&StringMatch>, leaf: Option<&StringMatch>) -> bool {
    let (Some(root), Some(leaf)) = (root, leaf) else {
        return false;
    };
    if root.regex.is_some() || leaf.regex.is_some() {
        return true;
    }
    match (&root.exact, &root.prefix) {
        (Some(exact), _) => leaf.exact.as_ref() != Some(exact),
        (None, Some(prefix)) => !leaf
            .exact
            .iter()
            .chain(&leaf.prefix)
            .any(|leaf| leaf.starts_with(prefix.as_str())),
        (None, None) => true,
    }
}
