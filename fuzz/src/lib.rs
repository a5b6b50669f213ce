//! What the fuzz targets share: one request through everything that the filter does with it.

use switchyard::decision::upstream_request::remove_reserved;
use switchyard::decision::{Decision, decide, mirror};
use switchyard::dice::Wyrand;
use switchyard::explain::{compact, explain};
use switchyard::header::edits::HeaderEdits;
use switchyard::header::map::HeaderMap;
use switchyard::matcher::RouteMatch;
use switchyard::plugin::Plugin;
use switchyard::request::Request;
use switchyard::reserved::{self, is_reserved};
use switchyard::yaml;

/// A plugin's JSON with every document of a manifest that can be read.
pub fn plugin_json(manifest: &str) -> Vec<u8> {
    let resources: Vec<_> = yaml::documents(manifest).into_iter().flatten().collect();
    serde_json::to_vec(&serde_json::json!({"resources": resources})).unwrap_or_default()
}

/// Decides over a request, and makes everything of the decision that the filter makes of it. Panics where a law is broken: the index
/// finds what a plain scan finds, and no client's copy of a reserved header is left.
pub fn ask(plugin: &Plugin, headers: &HeaderMap, seed: u64) {
    let request = Request::new(headers);
    if let Some(host) = plugin.table.virtual_host(&request) {
        let scanned = host.routes.as_ref().and_then(|routes| {
            let takes = |matches: &RouteMatch| matches.matches(&request, request.path_only());
            routes.iter().find(|route| takes(&route.matches))
        });
        assert_eq!(host.find(&request), scanned);
    }
    let decision = decide(&plugin.table, &request, &mut Wyrand::new(seed));
    let _ = explain(&plugin.table, &request, &|_| None);
    let _ = compact(&plugin.table, &request, &decision);
    let Decision::Routed(routed) = decision else {
        let mut edits = HeaderEdits::new(headers);
        remove_reserved(&request, &mut edits);
        return assert!(!edits.applied().iter().any(|(name, _)| is_reserved(name)));
    };
    let upstream = routed.request_edits(&request, &|_| None).applied();
    let cluster = upstream.get_all(reserved::CLUSTER);
    assert!(cluster.count() == 1, "a client names a cluster");
    let _ = routed.local_reply(&request, &|_| None);
    let _ = routed.response_edits(&upstream, &request, &|_| None).applied();
    let copy = mirror::headers(&upstream, plugin.options.shadow_host_suffix);
    assert!(!copy.iter().any(|(name, _)| is_reserved(name)));
}
