//! What a rule does.

use std::collections::BTreeMap;
use std::time::Duration;

use super::share::{percent, share};
use super::{Effect, End, Replaced};
use crate::action::cors::CorsPolicy;
use crate::action::fault::{Abort, Fault, GRPC_STATUSES};
use crate::action::hash_policy::HashPolicy;
use crate::action::redirect::{PathRedirect, Redirect};
use crate::action::retry::Variant;
use crate::action::rewrite::PathRewrite;
use crate::action::{ActionKind, Cluster, Forward, WeightedCluster};
use crate::diff::conditions::string;
use crate::explain::Retries;
use crate::header::format::{Attribute, Format};
use crate::header::parser::HeaderParser;
use crate::matcher::PathMatcher;
use crate::route::Route;

impl Effect {
    pub(super) fn rule(&mut self, route: &Route) {
        let action = &route.action;
        self.fault(action.fault);
        if let Some(cors) = &action.cors {
            self.cors(cors);
        }
        self.headers("headers", &action.request_headers, &action.response_headers);
        match &action.kind {
            ActionKind::Forward(forward) => self.forward(forward, &route.matches.path),
            ActionKind::Redirect(redirect) => self.redirect(redirect, &route.matches.path),
            ActionKind::DirectResponse(response) => {
                self.end = End::DirectResponse;
                self.add("directResponse.status", response.status.to_string());
                self.add("directResponse.body", response.body.escape_ascii().to_string());
            }
        }
        let names = |format: &Format| format.reads(Attribute::RouteName);
        let destinations = action.forward().map_or(&[][..], |forward| &forward.clusters);
        let parsers = [&action.request_headers, &action.response_headers];
        let parsers = destinations
            .iter()
            .flat_map(|destination| [&destination.request_headers, &destination.response_headers])
            .chain(parsers);
        if parsers.flat_map(HeaderParser::formats).any(names) {
            self.add_some("name", Some(&*route.rule.name).filter(|name| !name.is_empty()));
        }
    }

    fn fault(&mut self, fault: Fault) {
        if let Some((delay, share)) = fault.delay.filter(|(_, share)| share.numerator > 0) {
            self.add("fault.delay", format!("{}, {}", duration(delay), percent(share)));
        }
        if let Some((abort, share)) = fault.abort.filter(|(_, share)| share.numerator > 0) {
            let status = match abort {
                Abort::Http(status) => status.to_string(),
                Abort::Grpc(status) => GRPC_STATUSES
                    .get(usize::from(status))
                    .copied()
                    .unwrap_or("?")
                    .to_owned(),
            };
            self.add("fault.abort", format!("{status}, {}", percent(share)));
        }
    }

    fn cors(&mut self, cors: &CorsPolicy) {
        let mut origins: Vec<String> = cors.allow_origins.iter().map(string).collect();
        origins.sort();
        origins.dedup();
        self.add("corsPolicy.allowOrigins", origins.join(", "));
        self.add_some(
            "corsPolicy.allowMethods",
            Some(&*cors.allow_methods).filter(|text| !text.is_empty()),
        );
        self.add_some(
            "corsPolicy.allowHeaders",
            Some(&*cors.allow_headers).filter(|text| !text.is_empty()),
        );
        self.add_some(
            "corsPolicy.exposeHeaders",
            Some(&*cors.expose_headers).filter(|text| !text.is_empty()),
        );
        self.add_some("corsPolicy.maxAge", cors.max_age.as_ref().map(|age| format!("{age}s")));
        self.add_some("corsPolicy.allowCredentials", cors.allow_credentials.then_some("true"));
        let ignored = !cors.forward_unmatched_preflights;
        self.add_some("corsPolicy.unmatchedPreflights", ignored.then_some("IGNORE"));
    }

    fn headers(&mut self, below: &str, request: &HeaderParser, response: &HeaderParser) {
        for (side, parser) in [("request", request), ("response", response)] {
            for (operation, name, format) in parser.operations() {
                let value = format.map(Format::to_string).unwrap_or_default();
                self.add(&format!("{below}.{side}.{operation} {name}"), value);
            }
        }
    }

    fn forward(&mut self, forward: &Forward, path: &PathMatcher) {
        self.end = End::Upstream;
        self.destinations(forward);
        self.add_some("rewrite.authority", forward.authority.as_deref());
        match &forward.path {
            Some(PathRewrite::Matched(text)) => {
                self.add("rewrite.uri", text.to_string());
                self.replaced = Some(Replaced::by(path));
            }
            Some(PathRewrite::Regex(regex, text)) => {
                self.add("rewrite.uriRegexRewrite", format!("{} by {text}", regex.as_str()));
            }
            None => {}
        }
        self.add_some("timeout", forward.timeout.map(duration));
        self.retries(forward);
        if !forward.hash.is_empty() {
            let keys: Vec<String> = forward.hash.iter().map(hash).collect();
            self.add("consistentHash", keys.join(", "));
        }
        for mirror in &forward.mirrors {
            self.add(
                &format!("mirror {}", cluster(&mirror.cluster)),
                percent(mirror.fraction),
            );
        }
    }

    /// Two entries for one destination that differ in nothing else are one.
    fn destinations(&mut self, forward: &Forward) {
        let mut shares: BTreeMap<(String, BTreeMap<String, String>), u64> = BTreeMap::new();
        for destination in &forward.clusters {
            *shares.entry(own(destination, forward)).or_default() += destination.weight;
        }
        let is_lone = shares.len() == 1;
        let total = if is_lone { 0 } else { forward.total_weight };
        for ((name, facts), weight) in shares {
            let numbered = self.add(&format!("weight {name}"), share(weight, total));
            let place = if is_lone {
                String::new()
            } else {
                numbered.replacen("weight", "to", 1) + " "
            };
            for (fact, value) in facts {
                self.add(&format!("{place}{fact}"), value);
            }
        }
    }

    /// With Istio's default where the rule has none: without `retries` there are two. What they are on has no order.
    fn retries(&mut self, forward: &Forward) {
        let retries = Retries::of(Some(forward));
        self.add("retries.attempts", retries.attempts.to_string());
        if retries.attempts != 0 {
            let mut on: Vec<&str> = retries.on.split(',').collect();
            on.sort_unstable();
            self.add("retries.retryOn", on.join(","));
        }
        let each = retries.per_try_milliseconds.map(Duration::from_millis);
        self.add_some("retries.perTryTimeout", each.map(duration));
        let variant = forward.retry.as_ref().map(|policy| policy.variant).unwrap_or_default();
        if variant != Variant::default() {
            self.add("retries by", variant.key());
        }
    }

    fn redirect(&mut self, redirect: &Redirect, path: &PathMatcher) {
        self.end = End::Redirect;
        self.add("redirect.redirectCode", redirect.status.to_string());
        self.add_some("redirect.scheme", redirect.scheme.as_deref());
        self.add_some("redirect.authority", redirect.host.as_deref());
        self.add_some("redirect.port", redirect.port);
        match &redirect.path {
            PathRedirect::Keep => {}
            PathRedirect::Whole(text) => {
                self.add("redirect.uri", text.to_string());
            }
            PathRedirect::Prefix(text) => {
                self.add("redirect.prefixRewrite", text.to_string());
                self.replaced = Some(Replaced::by(path));
            }
        }
    }
}

/// A destination's name, and what is done for it alone.
fn own(destination: &WeightedCluster, forward: &Forward) -> (String, BTreeMap<String, String>) {
    let mut alone = Effect {
        end: End::Upstream,
        facts: BTreeMap::new(),
        replaced: None,
    };
    alone.headers("headers", &destination.request_headers, &destination.response_headers);
    // The rule's own comes before the destination's.
    let authority = destination.authority.as_deref().filter(|_| forward.authority.is_none());
    alone.add_some("rewrite.authority", authority);
    (cluster(&destination.cluster), alone.facts)
}

fn cluster(cluster: &Cluster) -> String {
    match cluster {
        Cluster::Named(name) => name.to_string(),
        Cluster::AtRequestPort(subset, host) => format!("outbound|*|{subset}|{host}"),
    }
}

fn hash(policy: &HashPolicy) -> String {
    match policy {
        HashPolicy::Header(name) => format!("header {name}"),
        HashPolicy::SourceIp => "source IP".to_owned(),
        HashPolicy::QueryParameter(name) => format!("query parameter {name}"),
        HashPolicy::Cookie(cookie) => {
            let mut text = format!("cookie {}", cookie.name);
            let ttl = cookie.ttl.map(|ttl| ("ttl", format!("{ttl}s")));
            let path = Some(("path", cookie.path.to_string())).filter(|(_, path)| !path.is_empty());
            let attributes = cookie
                .attributes
                .iter()
                .map(|(name, value)| (&**name, value.to_string()));
            for (name, value) in ttl.into_iter().chain(path).chain(attributes) {
                text.push_str(&format!(" {name} {value}"));
            }
            text
        }
    }
}

/// As `2s`, `1.5s`, `500ms`.
fn duration(duration: Duration) -> String {
    format!("{duration:?}")
}
