//! The overlay: the routes that a request takes once the filter has named its cluster. A client gets to none of them, for its reserved headers
//! are taken away.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::message::message;
use super::{hash_policy, retry_policy};
use crate::action::{Forward, mirror, retry};
use crate::config::Options;
use crate::reserved;
use crate::route::{RouteTable, VirtualHost};

/// What has to stand in a route, for no header of Envoy's asks for it: a retry policy that is not Istio's default, and mirrors. In their
/// order the plain one is the first, and one with mirrors comes after the same without.
type Variant<'t> = (Option<retry::Variant>, Vec<Cow<'t, str>>);

/// The routes that every virtual host begins with.
pub(super) struct Overlay<'t> {
    options: &'t Options,
    common: BTreeMap<Variant<'t>, Value>,
}

impl<'t> Overlay<'t> {
    /// Retry policies are few, and every host has them all. Mirrors are as many as rules: a host has those of its own, and of other hosts
    /// those whose requests may come by here, because they get another authority and Envoy looks that up anew.
    pub fn new(table: &'t RouteTable, options: &'t Options) -> Self {
        let mut overlay = Overlay {
            options,
            common: BTreeMap::new(),
        };
        let forwards = || table.virtual_hosts.iter().flat_map(forwards);
        let retries = forwards().map(|forward| forward.retry.as_ref().map(|retry| retry.variant));
        // The plain ones are there before anybody wants them, so that a first retry policy is news to the filter alone.
        let retries = retries.chain([None, Some(retry::Variant::default())]);
        let elsewhere = forwards().filter(|forward| forward.sets_authority());
        let elsewhere = elsewhere.flat_map(|forward| overlay.mirrored(forward));
        let wanted: Vec<Variant> = retries.map(|retry| (retry, Vec::new())).chain(elsewhere).collect();
        let mut common = BTreeMap::new();
        overlay.add(&mut common, wanted);
        overlay.common = common;
        overlay
    }

    /// Those of a virtual host; of none, those of the one for everything else. Who asks for mirrors that are not there yet goes on without.
    pub fn routes(&self, host: Option<&'t VirtualHost>) -> Vec<Value> {
        let mut routes = self.common.clone();
        let own = host.into_iter().flat_map(forwards);
        self.add(&mut routes, own.flat_map(|forward| self.mirrored(forward)));
        routes.into_values().rev().collect()
    }

    fn add(&self, routes: &mut BTreeMap<Variant<'t>, Value>, wanted: impl IntoIterator<Item = Variant<'t>>) {
        for variant in wanted {
            routes.entry(variant).or_insert_with_key(|variant| self.route(variant));
        }
    }

    fn mirrored(&self, forward: &'t Forward) -> impl Iterator<Item = Variant<'t>> + use<'t> {
        let retry = forward.retry.as_ref().map(|retry| retry.variant);
        let mirrors = if self.options.native_mirrors {
            &forward.mirrors[..]
        } else {
            &[]
        };
        mirror::sets(mirrors).into_iter().map(move |set| (retry, set))
    }

    fn route(&self, (retry, mirrors): &Variant) -> Value {
        let retry_key = retry.map(|retry| retry.key());
        let mirror_key = mirror::key(mirrors.iter().map(|cluster| Cow::Borrowed(&**cluster)));
        let mut headers = Vec::new();
        let mut name = "switchyard".to_owned();
        match &retry_key {
            Some(key) => {
                name += &format!(" {key}");
                headers.push(json!({"name": reserved::RETRY, "string_match": {"exact": key}}));
            }
            // Wherever it stands, it takes nothing from the others.
            None if mirror_key.is_some() => headers.push(json!({"name": reserved::RETRY, "present_match": false})),
            None => {}
        }
        if let Some(key) = &mirror_key {
            name += &format!(" mirror {key}");
            headers.push(json!({"name": reserved::MIRROR, "string_match": {"exact": key}}));
        }
        // Last: most requests have it, and Envoy looks no further than the first header that does not match.
        headers.push(json!({"name": reserved::CLUSTER, "present_match": true}));
        let removed = [reserved::CLUSTER, reserved::RETRY].into_iter();
        let removed: Vec<&str> = removed
            .chain(self.options.native_mirrors.then_some(reserved::MIRROR))
            .collect();
        let mirrors: Vec<Value> = mirrors.iter().map(|cluster| self.mirror(cluster)).collect();
        json!({
            "name": name,
            // The empty prefix takes `*` too, which OPTIONS may ask for.
            "match": {"prefix": "", "headers": headers},
            "route": message(json!({
                "cluster_header": reserved::CLUSTER,
                "timeout": "0s",
                "max_grpc_timeout": "0s",
                "retry_policy": retry.as_ref().map_or_else(|| retry_policy::default(true), retry_policy::variant),
                "request_mirror_policies": (!mirrors.is_empty()).then_some(mirrors),
                "hash_policy": hash_policy::by_filter(),
            })),
            "request_headers_to_remove": removed,
        })
    }

    /// The filter has drawn, so all of those that come here are copied.
    fn mirror(&self, cluster: &str) -> Value {
        message(json!({
            "cluster": cluster,
            "trace_sampled": false,
            "disable_shadow_host_suffix_append": (!self.options.shadow_host_suffix).then_some(true),
        }))
    }
}

fn forwards(host: &VirtualHost) -> impl Iterator<Item = &Forward> {
    let routes = host.routes.iter().flat_map(|routes| routes.iter());
    routes.filter_map(|route| route.action.forward())
}
