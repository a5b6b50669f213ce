//! Which of the filter's callbacks a configuration has use for: those that it has none for need not be called.

use crate::action::hash_policy::HashPolicy;
use crate::action::{Forward, RouteAction};
use crate::config::Options;
use crate::route::RouteTable;

/// The callbacks beyond those that every configuration needs, or that cost nothing where nothing happens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Callbacks {
    /// Headers of responses are read or changed.
    pub responses: bool,
    /// Requests are copied by the filter, with their bodies.
    pub mirrors: bool,
}

impl Callbacks {
    /// What a configuration may ask of the filter.
    pub fn new(table: &RouteTable, options: &Options) -> Self {
        let mut callbacks = Callbacks {
            responses: options.explain_header.is_some(),
            ..Callbacks::default()
        };
        let rules = table.virtual_hosts.iter().filter_map(|host| host.routes.as_ref());
        for route in rules.flat_map(|routes| routes.iter()) {
            callbacks.add(&route.action);
        }
        callbacks.mirrors &= !options.native_mirrors;
        callbacks
    }

    fn add(&mut self, action: &RouteAction) {
        let forward = action.forward();
        self.responses |= action.cors.is_some()
            || !action.response_headers.is_empty()
            || forward.is_some_and(Forward::concerns_response);
        self.mirrors |= forward.is_some_and(|forward| !forward.mirrors.is_empty());
    }
}

impl Forward {
    /// Whether a destination changes the response's headers, or a client may get a cookie.
    fn concerns_response(&self) -> bool {
        let makes_cookie = |policy: &HashPolicy| matches!(policy, HashPolicy::Cookie(cookie) if cookie.ttl.is_some());
        self.hash.iter().any(makes_cookie) || self.clusters.iter().any(|cluster| !cluster.response_headers.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::Plugin;

    fn callbacks(rule: &str, policy: &str) -> Callbacks {
        let json = format!(
            r#"{{"resources": [
                {{"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {{"name": "a"}},
                  "spec": {{"hosts": ["a"], "http": [{{"route": [{{"destination": {{"host": "a"}}}}] {rule}}}]}}}},
                {{"apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", "metadata": {{"name": "a"}},
                  "spec": {{"host": "a", "trafficPolicy": {{"loadBalancer": {policy}}}}}}}]}}"#
        );
        let plugin = Plugin::load(json.as_bytes()).unwrap();
        Callbacks::new(&plugin.table, &plugin.options)
    }

    #[test]
    fn only_what_rules_need_is_called() {
        let simple = r#"{"simple": "RANDOM"}"#;
        let none = Callbacks::default();
        assert_eq!(callbacks("", simple), none);
        let responses = Callbacks {
            responses: true,
            ..none
        };
        assert_eq!(
            callbacks(r#", "headers": {"request": {"set": {"a": "b"}}}"#, simple),
            none
        );
        assert_eq!(
            callbacks(r#", "headers": {"response": {"set": {"a": "b"}}}"#, simple),
            responses
        );
        assert_eq!(
            callbacks(r#", "corsPolicy": {"allowOrigins": [{"exact": "a"}]}"#, simple),
            responses
        );
        let mirror = r#", "mirror": {"host": "b"}"#;
        assert_eq!(callbacks(mirror, simple), Callbacks { mirrors: true, ..none });
    }

    #[test]
    fn copies_that_envoy_makes_are_no_business_of_the_filter() {
        let json = r#"{"proxy": {"port": 80}, "options": {"nativeMirrors": true}, "resources": [
            {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "a"},
             "spec": {"hosts": ["a"], "http": [{"route": [{"destination": {"host": "a"}}], "mirror": {"host": "b"}}]}}]}"#;
        let plugin = Plugin::load(json.as_bytes()).unwrap();
        assert_eq!(Callbacks::new(&plugin.table, &plugin.options), Callbacks::default());
    }

    #[test]
    fn a_cookie_that_is_made_goes_into_the_response() {
        let cookie = |ttl: &str| {
            callbacks(
                "",
                &format!(r#"{{"consistentHash": {{"httpCookie": {{"name": "c" {ttl}}}}}}}"#),
            )
        };
        assert!(cookie(r#", "ttl": "0s""#).responses);
        assert!(!cookie("").responses);
    }
}
