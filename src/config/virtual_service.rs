//! `networking.istio.io` VirtualService, as written.
//!
//! Every field of the HTTP side has its proto name and meaning; [`istio/api`'s `virtual_service.proto`] is the source. Nothing is checked
//! here: durations are text, enumerations are text, numbers may be out of range. [`crate::validate`] says what is wrong.
//!
//! [`istio/api`'s `virtual_service.proto`]: https://istio.io/latest/docs/reference/config/networking/virtual-service/

use std::collections::BTreeMap;

use super::layer4::{TCPRoute, TLSRoute};
use super::message;

/// `HTTPRedirect.RedirectPortSelection`.
pub(crate) const DERIVED_PORTS: [&str; 2] = ["FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT"];
/// `CorsPolicy.UnmatchedPreflights`.
pub(crate) const UNMATCHED_PREFLIGHTS: [&str; 3] = ["UNSPECIFIED", "FORWARD", "IGNORE"];

message! {
    /// How requests for some hosts are routed.
    pub struct VirtualService {
        /// Names or wildcards the rules apply to; empty in a VirtualService that others delegate to.
        pub hosts: Vec<String>,
        /// Where the rules apply: gateways' names, and `mesh` for sidecars, which is what an empty list means.
        pub gateways: Vec<String>,
        /// The rules, in order: the first that matches takes the request.
        pub http: Vec<HTTPRoute>,
        /// Not ours: TLS routes.
        pub tls: Vec<TLSRoute>,
        /// Not ours: TCP routes.
        pub tcp: Vec<TCPRoute>,
        /// The namespaces that see it: `.`, `*`, or names; empty means all.
        pub export_to: Vec<String>,
    }

    /// One rule: when, and what then.
    pub struct HTTPRoute {
        /// Named in access logs and statistics.
        pub name: String,
        /// Any of these; empty matches everything.
        pub r#match: Vec<HTTPMatchRequest>,
        /// Weighted destinations.
        pub route: Vec<HTTPRouteDestination>,
        /// Answers with a redirect instead.
        pub redirect: Option<Box<HTTPRedirect>>,
        /// Answers with a fixed response instead.
        pub direct_response: Option<HTTPDirectResponse>,
        /// Takes the rules of another VirtualService.
        pub delegate: Option<Delegate>,
        /// Changes path and authority on the way up.
        pub rewrite: Option<Box<HTTPRewrite>>,
        /// For the whole exchange, retries included; none by default.
        pub timeout: Option<String> as super::schema::Duration,
        /// How often and when to try again.
        pub retries: Option<Box<HTTPRetry>>,
        /// Delays and aborts to inject.
        pub fault: Option<Box<HTTPFaultInjection>>,
        /// A destination that gets a copy of each request.
        pub mirror: Option<Destination>,
        /// Deprecated: the share of requests to mirror, in percent.
        pub mirror_percent: Option<i64>,
        /// The share of requests to mirror; all by default.
        pub mirror_percentage: Option<Percent>,
        /// Several mirrors, each with its share.
        pub mirrors: Vec<HTTPMirrorPolicy>,
        /// Cross-origin resource sharing.
        pub cors_policy: Option<Box<CorsPolicy>>,
        /// Header operations of the rule.
        pub headers: Option<Box<Headers>>,
    }

    /// All of these conditions.
    pub struct HTTPMatchRequest {
        /// Joined to the rule's name with a dot.
        pub name: String,
        /// The path, without its query.
        pub uri: Option<StringMatch>,
        /// `http` or `https`.
        pub scheme: Option<Box<StringMatch>>,
        /// The method, case-sensitive.
        pub method: Option<Box<StringMatch>>,
        /// The `:authority` as sent.
        pub authority: Option<Box<StringMatch>>,
        /// By lower-case name; an empty match asks for presence.
        pub headers: BTreeMap<String, StringMatch>,
        /// The service port the request came to; 0 is any.
        pub port: i64,
        /// Labels the calling workload has.
        pub source_labels: BTreeMap<String, String>,
        /// Gateways the match is for, in the VirtualService's place.
        pub gateways: Vec<String>,
        /// By name; the first occurrence's raw value.
        pub query_params: BTreeMap<String, StringMatch>,
        /// Exact and prefix paths match in any case.
        pub ignore_uri_case: bool,
        /// By lower-case name; none of these may match.
        pub without_headers: BTreeMap<String, StringMatch>,
        /// The calling workload's namespace.
        pub source_namespace: String,
        /// A prefix of Envoy's statistics for this match.
        pub stat_prefix: String,
    }

    /// At most one of three; none asks for presence.
    pub struct StringMatch {
        /// The same bytes.
        pub exact: Option<String>,
        /// Begins with these bytes, segment or not.
        pub prefix: Option<String>,
        /// RE2, and the whole value.
        pub regex: Option<String>,
    }

    /// A destination and its share.
    pub struct HTTPRouteDestination {
        /// Where to.
        pub destination: Option<Destination>,
        /// Its share of the sum of all; a lone destination takes everything.
        pub weight: i64,
        /// Header operations of the destination.
        pub headers: Option<Box<Headers>>,
    }

    /// A service, or a subset of it.
    pub struct Destination {
        /// The service's name; without a dot, in the VirtualService's own namespace.
        pub host: String,
        /// A subset that a DestinationRule of the host defines.
        pub subset: String,
        /// The service's port; needed where it has several.
        pub port: Option<PortSelector>,
    }

    /// A port by number.
    pub struct PortSelector {
        /// 1 to 65535.
        pub number: i64,
    }

    /// An answer that sends the client elsewhere.
    pub struct HTTPRedirect {
        /// Replaces the whole path.
        pub uri: String,
        /// Replaces the matched prefix.
        pub prefix_rewrite: String,
        /// Replaces host and port.
        pub authority: String,
        /// Replaces the port.
        pub port: Option<i64>,
        /// `FROM_PROTOCOL_DEFAULT` or `FROM_REQUEST_PORT`.
        pub derive_port: Option<String> as DERIVED_PORTS,
        /// `http` or `https`.
        pub scheme: String,
        /// 301 by default.
        pub redirect_code: i64,
    }

    /// A fixed answer.
    pub struct HTTPDirectResponse {
        /// 200 to 599.
        pub status: i64,
        /// None is an empty body.
        pub body: Option<HTTPBody>,
    }

    /// At most one of two.
    pub struct HTTPBody {
        /// As text.
        pub string: Option<String>,
        /// As base64.
        pub bytes: Option<String>,
    }

    /// The VirtualService that has the rules.
    pub struct Delegate {
        /// Its name.
        pub name: String,
        /// Its namespace; the root's own by default.
        pub namespace: String,
    }

    /// What to change on the way up.
    pub struct HTTPRewrite {
        /// Replaces the matched prefix, or the whole path of another match.
        pub uri: String,
        /// Replaces the `:authority`.
        pub authority: String,
        /// Replaces every occurrence of an expression in the path.
        pub uri_regex_rewrite: Option<RegexRewrite>,
    }

    /// A substitution as RE2 does it.
    pub struct RegexRewrite {
        /// RE2, anywhere in the path.
        pub r#match: String,
        /// Text with `\1` to `\9` for groups and `\0` for all.
        pub rewrite: String,
    }

    /// When to try again.
    pub struct HTTPRetry {
        /// Tries after the first; 0 turns retries off.
        pub attempts: i64,
        /// For each try.
        pub per_try_timeout: Option<String> as super::schema::Duration,
        /// Envoy's conditions and status codes, with commas.
        pub retry_on: String,
        /// Whether other localities may be tried.
        pub retry_remote_localities: Option<bool>,
        /// Whether hosts that failed are tried again.
        pub retry_ignore_previous_hosts: Option<bool>,
        /// The base of Envoy's exponential back-off.
        pub backoff: Option<String> as super::schema::Duration,
    }

    /// Delay first, then abort, each by its own draw.
    pub struct HTTPFaultInjection {
        /// Waits before the request goes on.
        pub delay: Option<Delay>,
        /// Answers in the upstream's place.
        pub abort: Option<Abort>,
    }

    /// A delay of some requests.
    pub struct Delay {
        /// Deprecated: the share in whole percent.
        pub percent: i64,
        /// At least 1 ms.
        pub fixed_delay: Option<String> as super::schema::Duration,
        /// Never implemented by Istio.
        pub exponential_delay: Option<String> as super::schema::Duration,
        /// The share; none delays nobody.
        pub percentage: Option<Percent>,
    }

    /// An abort of some requests.
    pub struct Abort {
        /// 200 to 599.
        pub http_status: Option<i64>,
        /// A status by name, as `UNAVAILABLE`.
        pub grpc_status: Option<String>,
        /// Never implemented by Istio.
        pub http2_error: Option<String>,
        /// The share; none aborts nobody.
        pub percentage: Option<Percent>,
    }

    /// A share in percent.
    pub struct Percent {
        /// 0 to 100, read to the ten-thousandth.
        pub value: f64,
    }

    /// A mirror and its share.
    pub struct HTTPMirrorPolicy {
        /// Where the copy goes.
        pub destination: Option<Destination>,
        /// All by default.
        pub percentage: Option<Percent>,
    }

    /// What browsers of other origins may do.
    pub struct CorsPolicy {
        /// Deprecated: exact origins.
        pub allow_origin: Vec<String>,
        /// Origins.
        pub allow_origins: Vec<StringMatch>,
        /// Methods, or `*`.
        pub allow_methods: Vec<String>,
        /// Request headers, or `*`.
        pub allow_headers: Vec<String>,
        /// Response headers that scripts may read.
        pub expose_headers: Vec<String>,
        /// How long a preflight's answer holds, in whole seconds.
        pub max_age: Option<String> as super::schema::Duration,
        /// Whether cookies may be sent.
        pub allow_credentials: Option<bool>,
        /// `FORWARD` (the default) or `IGNORE`: preflights of other origins.
        pub unmatched_preflights: Option<String> as UNMATCHED_PREFLIGHTS,
    }

    /// Operations on both ways.
    pub struct Headers {
        /// Before the request goes up.
        pub request: Option<HeaderOperations>,
        /// Before the response goes down.
        pub response: Option<HeaderOperations>,
    }

    /// Envoy does removals first, then `set`, then `add`.
    pub struct HeaderOperations {
        /// Overwrites.
        pub set: BTreeMap<String, String>,
        /// Appends.
        pub add: BTreeMap<String, String>,
        /// Removes.
        pub remove: Vec<String>,
    }
}
