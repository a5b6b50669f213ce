//! `envoy.extensions.upstreams.http.v3.HttpProtocolOptions`: in which HTTP an upstream is spoken to, and for how long.
//!
//! `applyConnectionPool` and `setUpstreamProtocol`, istio `pilot/pkg/networking/core`.

use serde_json::{Value, json};

use super::message::{any, positive, written};
use super::outlier_detection::error_matcher;
use super::transport_socket;
use crate::config::destination_rule::HTTPSettings;
use crate::destination_rule::Policy;
use crate::registry::protocol::Protocol;

const NAME: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/// In which HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Http1,
    Http2,
    /// Whatever the client speaks.
    Downstream,
}

/// Whether a cluster is spoken to in HTTP/2 alone.
pub(super) fn is_http2(protocol: Protocol, policy: &Policy) -> bool {
    version(protocol, http(policy), false) == Version::Http2
}

fn http<'a>(policy: &Policy<'a>) -> Option<&'a HTTPSettings> {
    policy.connection_pool.and_then(|pool| pool.http.as_ref())
}

/// By the port's protocol, unless the rule says otherwise. A port that does not say what it carries is spoken to as its clients speak where
/// that is to be `followed`, and is never upgraded.
fn version(protocol: Protocol, http: Option<&HTTPSettings>, followed: bool) -> Version {
    let upgrade = http.and_then(|http| http.h2_upgrade_policy.as_deref()) == Some("UPGRADE");
    match http.is_some_and(|http| http.use_client_protocol) {
        true => Version::Downstream,
        false if protocol.is_http2() || upgrade && protocol.is_http() => Version::Http2,
        false if protocol == Protocol::Unknown && followed => Version::Downstream,
        false => Version::Http1,
    }
}

/// The options of a cluster by the name of their extension; none where Envoy's defaults are meant. `followed` says whether a port that does
/// not say what it carries is spoken to as its clients speak.
pub(super) fn http_protocol_options(protocol: Protocol, policy: &Policy, followed: bool) -> Option<Value> {
    let http = http(policy);
    let tcp = policy.connection_pool.and_then(|pool| pool.tcp.as_ref());
    let idle = http
        .and_then(|http| written(http.idle_timeout.as_deref()))
        .or_else(|| tcp.and_then(|tcp| written(tcp.idle_timeout.as_deref())));
    let lifetime = tcp.and_then(|tcp| written(tcp.max_connection_duration.as_deref()));
    let requests = http.and_then(|http| positive(http.max_requests_per_connection));
    let common = (idle.is_some() || lifetime.is_some() || requests.is_some()).then(|| {
        json!({
            "idle_timeout": idle,
            "max_connection_duration": lifetime,
            "max_requests_per_connection": requests,
        })
    });
    let errors = error_matcher(policy.outlier_detection).map(|matcher| json!({"error_matcher": matcher}));
    let names = policy.tls.and_then(transport_socket::names_by_request);
    let version = version(protocol, http, followed);
    if version == Version::Http1 && common.is_none() && errors.is_none() && names.is_none() {
        return None;
    }
    let explicit = match version {
        Version::Http1 => Some(json!({"http_protocol_options": {}})),
        Version::Http2 => Some(json!({"http2_protocol_options": http2(http)})),
        Version::Downstream => None,
    };
    let downstream = match explicit {
        None => Some(json!({"http_protocol_options": {}, "http2_protocol_options": {}})),
        Some(_) => None,
    };
    let options = json!({
        "common_http_protocol_options": common,
        "upstream_http_protocol_options": names,
        "explicit_http_config": explicit,
        "use_downstream_protocol_config": downstream,
        "outlier_detection": errors,
    });
    Some(json!({ NAME: any(NAME, options) }))
}

fn http2(http: Option<&HTTPSettings>) -> Value {
    let pings = http.and_then(|http| http.http2_keep_alive.as_ref()).map(
        |pings| json!({"interval": written(pings.interval.as_deref()), "timeout": written(pings.timeout.as_deref())}),
    );
    json!({
        "max_concurrent_streams": http.and_then(|http| positive(http.max_concurrent_streams)),
        "connection_keepalive": pings,
    })
}
