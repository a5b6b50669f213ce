//! `envoy.config.route.v3.RouteAction.HashPolicy`.

use serde_json::{Value, json};

use super::message::message;
use crate::action::hash_policy::HashPolicy;
use crate::reserved;

/// The key that the filter gives.
pub(super) fn by_filter() -> Value {
    json!([{"filter_state": {"key": reserved::HASH_KEY}}])
}

/// The key of a rule, for requests that the filter leaves alone.
pub(super) fn native(policy: &HashPolicy) -> Value {
    let attribute = |(name, value): &(Box<str>, Box<str>)| json!({"name": name, "value": value});
    message(match policy {
        HashPolicy::Header(name) => json!([{"header": {"header_name": name}}]),
        HashPolicy::SourceIp => json!([{"connection_properties": {"source_ip": true}}]),
        HashPolicy::QueryParameter(name) => json!([{"query_parameter": {"name": name}}]),
        HashPolicy::Cookie(cookie) => json!([{"cookie": {
            "name": cookie.name,
            "path": (!cookie.path.is_empty()).then_some(&cookie.path),
            "ttl": cookie.ttl.map(|seconds| format!("{seconds}s")),
            "attributes": (!cookie.attributes.is_empty())
                .then(|| cookie.attributes.iter().map(attribute).collect::<Vec<_>>()),
        }}]),
    })
}
