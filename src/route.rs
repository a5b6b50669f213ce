//! The compiled routes: what cannot be invalid.
//!
//! ```text
//! RouteTable ── virtual_host(authority) ──▶ VirtualHost ── find(request) ──▶ Route { matches, action }
//! ```

use std::fmt;
use std::sync::Arc;

use crate::action::RouteAction;
use crate::config::Proxy;
use crate::matcher::RouteMatch;
use crate::request::Request;
use index::Index;

mod compile;
mod delegate;
mod domains;
mod gateway;
mod index;
mod rule;
mod virtual_hosts;

pub(crate) use delegate::{Expanded, ExpandedRule, expand, is_exported};
pub(crate) use domains::Domains;
pub(crate) use gateway::intersection;
pub(crate) use rule::{Before, Known, Listener, Place, gateway_name};

/// Everything one listener's requests are decided by.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RouteTable {
    /// Hosts that answer to the same names.
    pub virtual_hosts: Vec<VirtualHost>,
    pub(crate) domains: Arc<Domains>,
}

/// A host, and its rules.
#[derive(Debug, Clone, PartialEq)]
pub struct VirtualHost {
    /// The host in full.
    pub name: Arc<str>,
    /// The rules in order; none where no VirtualService has the host.
    pub routes: Option<Arc<Routes>>,
    /// The cluster that Istio's default route has for a service without a VirtualService.
    pub default_cluster: Option<Box<str>>,
    /// Whether requests without TLS are sent to https before any rule is looked at.
    pub https_redirect: bool,
}

/// What takes a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Taker<'t> {
    /// The Gateway's server, which sends what comes without TLS to https.
    HttpsRedirect,
    /// The proxy's own routes, for no VirtualService has the host; the cluster of Istio's default route for a known service.
    Default(Option<&'t str>),
    /// Nothing: the host has rules, and none of them matches.
    Nothing,
    /// The first rule that matches.
    Rule(&'t Arc<Route>),
}

/// Rules in order, and the way to the first that matches.
#[derive(Debug, Clone, PartialEq)]
pub struct Routes {
    rules: Box<[Arc<Route>]>,
    index: Option<Arc<Index>>,
}

impl Routes {
    /// Rules in order.
    pub fn new(rules: Vec<Arc<Route>>) -> Self {
        Routes::after(None, rules)
    }

    /// Rules in order. Where they match just what others did before them, one index serves both.
    fn after(before: Option<&Routes>, rules: Vec<Arc<Route>>) -> Self {
        let is_alike = |(a, b): (&Arc<Route>, &Arc<Route>)| Arc::ptr_eq(a, b) || a.matches == b.matches;
        let alike = before.filter(|before| before.len() == rules.len() && before.iter().zip(&rules).all(is_alike));
        Routes {
            index: alike.map_or_else(|| Index::new(&rules).map(Arc::new), |alike| alike.index.clone()),
            rules: rules.into(),
        }
    }
}

impl std::ops::Deref for Routes {
    type Target = [Arc<Route>];

    fn deref(&self) -> &[Arc<Route>] {
        &self.rules
    }
}

/// One entry of a rule's `match`, and what the rule does.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// Where it was written.
    pub rule: Rule,
    /// When it applies.
    pub matches: RouteMatch,
    /// What it does.
    pub action: Arc<RouteAction>,
}

/// Where a route was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// `namespace/name` of the VirtualService.
    pub virtual_service: Arc<str>,
    /// The position in its `http`.
    pub http: usize,
    /// The position in the rule's `match`; none where it has no entry.
    pub r#match: Option<usize>,
    /// The VirtualService it was delegated to, and the position in its `http`.
    pub delegate: Option<Box<(Arc<str>, usize)>>,
    /// The rule's name with its match's; empty if there is none.
    pub name: Box<str>,
    /// What statistics tell the match's requests apart by, beside the name; empty for nothing.
    pub stat_prefix: Box<str>,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} http[{}]", self.virtual_service, self.http)?;
        if let Some(index) = self.r#match {
            write!(f, ".match[{index}]")?;
        }
        match &self.delegate {
            Some(delegate) => write!(f, " by {} http[{}]", delegate.0, delegate.1),
            None => Ok(()),
        }
    }
}

impl Route {
    /// What logs and statistics call it: the rule's name, or where it was written.
    pub fn label(&self) -> std::borrow::Cow<'_, str> {
        if self.rule.name.is_empty() {
            self.rule.to_string().into()
        } else {
            std::borrow::Cow::Borrowed(&self.rule.name)
        }
    }
}

impl RouteTable {
    /// What it holds, in a few words.
    pub fn summary(&self) -> String {
        let routed = self.virtual_hosts.iter().filter(|host| host.routes.is_some()).count();
        let routes: usize = self
            .virtual_hosts
            .iter()
            .filter_map(|host| host.routes.as_ref())
            .map(|routes| routes.len())
            .sum();
        format!("{routes} routes for {routed} hosts")
    }

    /// Hosts in order, those of a sidecar under all names that its workload has for them.
    fn new(virtual_hosts: Vec<VirtualHost>, sidecar: Option<&Proxy>, before: &[Arc<Domains>]) -> Self {
        let hosts = virtual_hosts.iter().map(|host| Arc::clone(&host.name));
        RouteTable {
            domains: Domains::new(hosts.collect(), sidecar, before),
            virtual_hosts,
        }
    }

    /// The names that each virtual host answers to, in their order; a wildcard's with its `*`.
    pub fn domains(&self) -> Vec<Vec<String>> {
        self.domains.by_host()
    }

    /// The host of an `:authority`: an exact name before the longest wildcard, ports and case aside.
    pub fn virtual_host(&self, request: &Request) -> Option<&VirtualHost> {
        let host = request.host();
        let index = if host.iter().any(u8::is_ascii_uppercase) {
            self.domains.find(&host.to_ascii_lowercase())
        } else {
            self.domains.find(host)
        };
        self.virtual_hosts.get(index?)
    }

    /// What takes a request.
    pub fn taker(&self, request: &Request) -> Taker<'_> {
        let Some(host) = self.virtual_host(request) else {
            return Taker::Default(None);
        };
        if host.https_redirect && request.scheme != b"https" {
            return Taker::HttpsRedirect;
        }
        if host.routes.is_none() {
            return Taker::Default(host.default_cluster.as_deref());
        }
        host.find(request).map_or(Taker::Nothing, Taker::Rule)
    }
}

impl VirtualHost {
    /// The first rule that matches.
    pub fn find(&self, request: &Request) -> Option<&Arc<Route>> {
        let routes = self.routes.as_ref()?;
        let path = request.path_only();
        let matches = |route: &Arc<Route>| route.matches.matches(request, path);
        let Some(index) = &routes.index else {
            return routes.iter().find(|route| matches(route));
        };
        let number = index.find(request, path, |number| routes.get(number).is_some_and(matches))?;
        routes.get(number)
    }
}
