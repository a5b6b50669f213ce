//! The compiled routes: what cannot be invalid.
//!
//! ```text
//! RouteTable ── virtual_host(authority) ──▶ VirtualHost ── find(request) ──▶ Route { matches, action }
//! ```

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use hashbrown::HashMap;

use crate::action::RouteAction;
use crate::matcher::RouteMatch;
use crate::request::Request;
use index::Index;

mod compile;
mod delegate;
mod gateway;
mod index;
mod rule;
mod virtual_hosts;

pub(crate) use delegate::{Expanded, ExpandedRule, expand, is_exported};
pub(crate) use gateway::intersection;
pub(crate) use rule::{Known, KnownRoutes, Listener, Place, gateway_name};

/// Everything one listener's requests are decided by.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RouteTable {
    /// Hosts that answer to the same names.
    pub virtual_hosts: Vec<VirtualHost>,
    exact: HashMap<Box<[u8]>, usize>,
    /// What follows the `*`, longest first.
    suffixes: BTreeMap<Reverse<usize>, HashMap<Box<[u8]>, usize>>,
}

/// A host, and its rules.
#[derive(Debug, Clone, PartialEq)]
pub struct VirtualHost {
    /// The host in full.
    pub name: Box<str>,
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

    /// The names that each virtual host answers to, in their order; a wildcard's with its `*`.
    pub fn domains(&self) -> Vec<Vec<String>> {
        let mut domains = vec![Vec::new(); self.virtual_hosts.len()];
        let exact = self.exact.iter().map(|name| ("", name));
        let suffixes = self.suffixes.values().flatten().map(|name| ("*", name));
        for (star, (name, index)) in exact.chain(suffixes) {
            if let Some(names) = domains.get_mut(*index) {
                names.push(format!("{star}{}", String::from_utf8_lossy(name)));
            }
        }
        domains.iter_mut().for_each(|names| names.sort());
        domains
    }

    /// The host of an `:authority`: an exact name before the longest wildcard, ports and case aside.
    pub fn virtual_host(&self, request: &Request) -> Option<&VirtualHost> {
        let host = request.host();
        let index = if host.iter().any(u8::is_ascii_uppercase) {
            self.index(&host.to_ascii_lowercase())
        } else {
            self.index(host)
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

    fn index(&self, host: &[u8]) -> Option<usize> {
        if let Some(index) = self.exact.get(host) {
            return Some(*index);
        }
        let wildcard = |(Reverse(length), hosts): (&Reverse<usize>, &HashMap<Box<[u8]>, usize>)| {
            let suffix = host
                .len()
                .checked_sub(*length)
                .filter(|rest| *rest > 0 || *length == 0)?;
            hosts.get(host.get(suffix..)?).copied()
        };
        self.suffixes.iter().find_map(wildcard)
    }

    /// Gives a host a name, a `*` in front for a wildcard. The first that asks for a name has it.
    fn name(&mut self, domain: &str, index: usize) {
        let (names, name) = match domain.strip_prefix('*') {
            Some(suffix) => (self.suffixes.entry(Reverse(suffix.len())).or_default(), suffix),
            None => (&mut self.exact, domain),
        };
        names.entry_ref(name.as_bytes()).or_insert(index);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::map::HeaderMap;

    fn host_of(domains: &[&str], authority: &str) -> Option<String> {
        let mut table = RouteTable::default();
        for (index, domain) in domains.iter().enumerate() {
            table.name(domain, index);
            table.virtual_hosts.push(VirtualHost {
                name: (*domain).into(),
                routes: None,
                default_cluster: None,
                https_redirect: false,
            });
        }
        let headers: HeaderMap = [(":authority", authority)].into_iter().collect();
        table
            .virtual_host(&Request::new(&headers))
            .map(|host| host.name.to_string())
    }

    #[test]
    fn an_exact_host_wins_over_the_longest_wildcard() {
        let domains = ["*", "*.foo.com", "*.a.foo.com", "x.a.foo.com"];
        assert_eq!(host_of(&domains, "x.a.foo.com").as_deref(), Some("x.a.foo.com"));
        assert_eq!(host_of(&domains, "Y.A.foo.com:80").as_deref(), Some("*.a.foo.com"));
        assert_eq!(host_of(&domains, "z.foo.com").as_deref(), Some("*.foo.com"));
        assert_eq!(host_of(&domains, "foo.com").as_deref(), Some("*"));
        assert_eq!(host_of(&domains[1..], ".foo.com"), None);
    }
}
