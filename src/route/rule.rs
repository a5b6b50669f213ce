//! One rule's routes: one for each entry of its `match` that is for this listener.
//!
//! `BuildHTTPRoutesForVirtualService`, istio `pilot/pkg/networking/core/route/route.go`.

use std::ops::Range;
use std::sync::Arc;

use crate::action::RouteAction;
use crate::config::virtual_service::{HTTPMatchRequest, HTTPRoute, StringMatch, VirtualService};
use crate::config::{Object, Proxy};
use crate::destination_rule::DestinationRules;
use crate::finding::{Finding, Severity, Sort};
use crate::matcher::regex::Regexes;
use crate::matcher::{HeaderMatcher, PathMatcher, QueryParameterMatcher, RouteMatch, StringMatcher};
use crate::registry::Registry;

use super::delegate::{Expanded, ExpandedRule};
use super::domains::Domains;
use super::{Route, Routes, Rule};

/// Whom routes are compiled for.
pub(crate) struct Listener<'a> {
    pub proxy: &'a Proxy,
    /// The service port it stands for; none where only a request tells.
    pub port: Option<u16>,
    pub registry: &'a Registry,
    /// None where none of them says anything of routes: that requests are hashed.
    pub destination_rules: Option<&'a DestinationRules<'a>>,
}

impl Listener<'_> {
    /// Whether a name under `gateways`, written in `namespace`, is one this proxy serves.
    pub fn serves(&self, gateway: &str, namespace: &str) -> bool {
        let own = self
            .proxy
            .gateways
            .iter()
            .map(|own| gateway_name(own, &self.proxy.namespace));
        let name = gateway_name(gateway, namespace);
        own.into_iter().any(|own| own == name)
    }
}

/// `mesh`, or a gateway with its namespace.
pub(crate) fn gateway_name(gateway: &str, namespace: &str) -> String {
    if gateway == "mesh" || gateway.contains('/') {
        gateway.to_owned()
    } else {
        format!("{namespace}/{gateway}")
    }
}

/// A VirtualService with its routes for one listener; none where every match is for another one.
pub(super) struct Compiled<'a> {
    pub virtual_service: &'a Expanded<'a>,
    pub routes: Option<Arc<Routes>>,
}

/// What need not be compiled.
#[derive(Default)]
pub(crate) struct Before {
    /// Each VirtualService's routes with its position among the resources, in that order.
    pub routes: Vec<(usize, Known)>,
    /// The names of hosts, which may be those of these.
    pub domains: Vec<Arc<Domains>>,
}

/// Of a VirtualService, what need not be compiled, and need not be in the configuration either.
pub(crate) enum Known {
    /// Everything.
    All(Option<Arc<Routes>>),
    /// Some rules: for each in `http` which of these routes are its own; none of a rule that is new.
    Some(Arc<Routes>, Vec<Range<usize>>),
}

impl Known {
    fn of_rule(&self, http: usize) -> &[Arc<Route>] {
        let Known::Some(routes, rules) = self else { return &[] };
        let own = rules.get(http).and_then(|range| routes.get(range.clone()));
        own.unwrap_or_default()
    }
}

/// The routes of a VirtualService for a listener, or none if it has none there. A match that takes everything ends them.
pub(super) fn compile(
    virtual_service: &Expanded,
    listener: &Listener,
    known: &[(usize, Known)],
    regexes: &mut Regexes,
    findings: &mut Vec<Finding>,
) -> Option<Arc<Routes>> {
    let object = virtual_service.object;
    let position = known.binary_search_by_key(&object.resource, |(position, _)| *position);
    let known = position
        .ok()
        .and_then(|position| known.get(position))
        .map(|(_, known)| known);
    let before = match known {
        Some(Known::All(routes)) => return routes.clone(),
        Some(Known::Some(routes, _)) => Some(&**routes),
        None => None,
    };
    let finished = |routes| Some(Arc::new(Routes::after(before, routes)));
    let name: Arc<str> = format!("{}/{}", object.metadata.namespace, object.metadata.name).into();
    let mut routes: Vec<Arc<Route>> = Vec::new();
    for expanded in &virtual_service.rules {
        let known = known.map_or(&[][..], |known| known.of_rule(expanded.http));
        if !known.is_empty() {
            routes.extend(known.iter().map(|route| moved(route, expanded.http)));
            if routes.last().is_some_and(|route| route.matches.is_catch_all()) {
                break;
            }
            continue;
        }
        let mut at = Place {
            object: expanded.delegate.map_or(object, |(leaf, _)| leaf),
            rule: expanded.delegate.map_or(expanded.http, |(_, index)| index),
            regexes,
            findings,
        };
        let action = Arc::new(RouteAction::compile(&expanded.rule, listener, &mut at));
        let everything = [HTTPMatchRequest::default()];
        let matches = if expanded.rule.r#match.is_empty() {
            &everything[..]
        } else {
            &expanded.rule.r#match
        };
        for (index, entry) in matches
            .iter()
            .enumerate()
            .filter(|(_, entry)| is_for(entry, object, listener))
        {
            let route = Route {
                rule: rule(
                    &name,
                    expanded,
                    (!expanded.rule.r#match.is_empty()).then_some(index),
                    entry,
                ),
                matches: at.route_match(index, entry, listener.port),
                action: Arc::clone(&action),
            };
            let last = route.matches.is_catch_all();
            routes.push(Arc::new(route));
            if last {
                return finished(routes);
            }
        }
    }
    if routes.is_empty() { None } else { finished(routes) }
}

/// The route of a rule that stands elsewhere now.
fn moved(route: &Arc<Route>, http: usize) -> Arc<Route> {
    if route.rule.http == http {
        return Arc::clone(route);
    }
    let mut route = Route::clone(route);
    route.rule.http = http;
    Arc::new(route)
}

fn rule(virtual_service: &Arc<str>, expanded: &ExpandedRule, index: Option<usize>, entry: &HTTPMatchRequest) -> Rule {
    let HTTPRoute { name, .. } = &*expanded.rule;
    Rule {
        virtual_service: Arc::clone(virtual_service),
        http: expanded.http,
        r#match: index,
        delegate: expanded.delegate.map(|(leaf, index)| {
            let metadata = &leaf.metadata;
            Box::new((format!("{}/{}", metadata.namespace, metadata.name).into(), index))
        }),
        name: if entry.name.is_empty() {
            name.as_str().into()
        } else {
            format!("{name}.{}", entry.name).into()
        },
        stat_prefix: entry.stat_prefix.as_str().into(),
    }
}

/// Whether a match is for this proxy and port: a caller's labels count only where it names no gateways.
fn is_for(entry: &HTTPMatchRequest, object: &Object<VirtualService>, listener: &Listener) -> bool {
    let other_port = |port: u16| entry.port != 0 && entry.port != i64::from(port);
    if listener.port.is_some_and(other_port) {
        return false;
    }
    let proxy = listener.proxy;
    if entry.gateways.is_empty() {
        let labelled = |(name, value): (&String, &String)| proxy.labels.get(name) == Some(value);
        return entry.source_labels.iter().all(labelled)
            && (entry.source_namespace.is_empty() || entry.source_namespace == proxy.namespace);
    }
    entry
        .gateways
        .iter()
        .any(|gateway| listener.serves(gateway, &object.metadata.namespace))
}

/// Where a regular expression that does not compile is to be reported.
pub(crate) struct Place<'a> {
    pub object: &'a Object<VirtualService>,
    pub rule: usize,
    pub regexes: &'a mut Regexes,
    pub findings: &'a mut Vec<Finding>,
}

impl Place<'_> {
    /// One entry of the rule's `match`; `port` is the listener's, where it is known.
    pub fn route_match(&mut self, index: usize, entry: &HTTPMatchRequest, port: Option<u16>) -> RouteMatch {
        let at = |field: &str| format!("match[{index}].{field}");
        let mut headers = Vec::new();
        for (name, field, value) in [
            (":method", "method", &entry.method),
            (":authority", "authority", &entry.authority),
            (":scheme", "scheme", &entry.scheme),
        ] {
            if let Some(value) = value {
                headers.push(self.header(name, &at(field), value, false));
            }
        }
        for (name, value) in &entry.headers {
            headers.push(self.header(name, &at(&format!("headers.{name}")), value, false));
        }
        for (name, value) in &entry.without_headers {
            headers.push(self.header(name, &at(&format!("withoutHeaders.{name}")), value, true));
        }
        let uri = entry
            .uri
            .as_ref()
            .map_or(StringMatcher::Present, |uri| self.string(&at("uri"), uri));
        let query = entry.query_params.iter().map(|(name, value)| QueryParameterMatcher {
            name: name.as_str().into(),
            value: self.string(&at(&format!("queryParams.{name}")), value),
        });
        RouteMatch {
            query_parameters: query.collect(),
            port: u16::try_from(entry.port)
                .ok()
                .filter(|wanted| *wanted != 0 && port.is_none()),
            path: PathMatcher::new(uri, entry.ignore_uri_case),
            headers: headers.into(),
        }
    }

    fn header(&mut self, name: &str, path: &str, value: &StringMatch, without: bool) -> HeaderMatcher {
        let name = name.to_ascii_lowercase();
        HeaderMatcher {
            name: if name == "host" {
                ":authority".into()
            } else {
                name.into()
            },
            value: self.string(path, value),
            without,
        }
    }

    /// `*` alone is no expression: istiod reads it as presence.
    pub fn string(&mut self, path: &str, value: &StringMatch) -> StringMatcher {
        match value {
            StringMatch { exact: Some(exact), .. } => StringMatcher::Exact(exact.as_bytes().into()),
            StringMatch {
                prefix: Some(prefix), ..
            } => StringMatcher::Prefix(prefix.as_bytes().into()),
            StringMatch { regex: Some(regex), .. } if regex != "*" => match self.regexes.whole(regex) {
                Ok(regex) => StringMatcher::Regex(regex),
                Err(error) => {
                    self.refuse(&format!("{path}.regex"), error.0);
                    StringMatcher::Present
                }
            },
            _ => StringMatcher::Present,
        }
    }

    /// Reports an error below the rule.
    pub fn refuse(&mut self, path: &str, message: String) {
        self.findings.push(Finding {
            severity: Severity::Error,
            sort: Sort::Validation,
            code: "IST0106",
            resource: Some(self.object.resource),
            object: self.object.reference(),
            path: format!("http[{}].{path}", self.rule),
            message,
            related: Vec::new(),
        });
    }
}
