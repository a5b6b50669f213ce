//! `networking.istio.io` DestinationRule, as written.

use std::collections::BTreeMap;

use super::{Unread, message};

/// `LoadBalancerSettings.SimpleLB`.
pub(crate) const SIMPLE_LB: [&str; 6] = [
    "UNSPECIFIED",
    "LEAST_CONN",
    "RANDOM",
    "PASSTHROUGH",
    "ROUND_ROBIN",
    "LEAST_REQUEST",
];
/// `ClientTLSSettings.TLSmode`.
pub(crate) const TLS_MODES: [&str; 4] = ["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"];
/// `ConnectionPoolSettings.HTTPSettings.H2UpgradePolicy`.
pub(crate) const H2_UPGRADE_POLICIES: [&str; 3] = ["DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"];
/// `TrafficPolicy.ProxyProtocol.VERSION`.
pub(crate) const PROXY_PROTOCOLS: [&str; 2] = ["V1", "V2"];

message! {
    /// What holds for the traffic to a host, once it is routed there.
    pub struct DestinationRule {
        /// A service's name or a wildcard.
        pub host: String,
        /// For all of its traffic.
        pub traffic_policy: Option<Box<TrafficPolicy>>,
        /// Its versions.
        pub subsets: Vec<Subset>,
        /// The namespaces that see it: `.`, `*`, or names; empty means all.
        pub export_to: Vec<String>,
        /// The calling workloads it is for; none means all.
        pub workload_selector: Option<WorkloadSelector>,
    }

    /// Workloads by label.
    pub struct WorkloadSelector {
        /// All of them.
        pub match_labels: BTreeMap<String, String>,
    }

    /// One version of a service.
    pub struct Subset {
        /// What routes call it.
        pub name: String,
        /// The labels its endpoints have.
        pub labels: BTreeMap<String, String>,
        /// Overrides the rule's, block by block.
        pub traffic_policy: Option<Box<TrafficPolicy>>,
    }

    /// How to treat a cluster.
    pub struct TrafficPolicy {
        /// Which endpoint gets a request.
        pub load_balancer: Option<LoadBalancerSettings>,
        /// How much may be under way.
        pub connection_pool: Option<ConnectionPoolSettings>,
        /// When an endpoint is left out.
        pub outlier_detection: Option<OutlierDetection>,
        /// TLS to the upstream.
        pub tls: Option<ClientTLSSettings>,
        /// Whole replacements for single ports.
        pub port_level_settings: Vec<PortTrafficPolicy>,
        /// CONNECT or POST tunnels.
        pub tunnel: Option<TunnelSettings>,
        /// The PROXY protocol's version.
        pub proxy_protocol: Option<ProxyProtocol>,
        /// Retries as a share of what is under way.
        pub retry_budget: Option<RetryBudget>,
    }

    /// A policy for one port, in place of the whole.
    pub struct PortTrafficPolicy {
        /// Which.
        pub port: Option<super::virtual_service::PortSelector>,
        /// As in the policy.
        pub load_balancer: Option<LoadBalancerSettings>,
        /// As in the policy.
        pub connection_pool: Option<ConnectionPoolSettings>,
        /// As in the policy.
        pub outlier_detection: Option<OutlierDetection>,
        /// As in the policy.
        pub tls: Option<ClientTLSSettings>,
    }

    /// Either a simple policy or a hash.
    pub struct LoadBalancerSettings {
        /// `LEAST_REQUEST`, `ROUND_ROBIN`, `RANDOM`, `PASSTHROUGH`, `LEAST_CONN`, `UNSPECIFIED`.
        pub simple: Option<String> as SIMPLE_LB,
        /// One key, one endpoint.
        pub consistent_hash: Option<ConsistentHashLB>,
        /// Weights and failover by place.
        pub locality_lb_setting: Option<LocalityLoadBalancerSetting>,
        /// Envoy's zone-aware routing.
        pub zone_aware_lb_setting: Option<Unread>,
        /// Deprecated for `warmup`.
        pub warmup_duration_secs: Option<String> as super::schema::Duration,
        /// New endpoints get their share by and by.
        pub warmup: Option<WarmupConfiguration>,
    }

    /// What is hashed, and how.
    pub struct ConsistentHashLB {
        /// By a request header.
        pub http_header_name: Option<String>,
        /// By a cookie, which is made where a lifetime is given.
        pub http_cookie: Option<HTTPCookie>,
        /// By the client's address.
        pub use_source_ip: Option<bool>,
        /// By a query parameter.
        pub http_query_parameter_name: Option<String>,
        /// Ketama's ring.
        pub ring_hash: Option<RingHash>,
        /// Maglev's table.
        pub maglev: Option<MagLev>,
        /// Deprecated for `ringHash`.
        pub minimum_ring_size: Option<i64>,
    }

    /// The cookie to hash.
    pub struct HTTPCookie {
        /// Its name.
        pub name: String,
        /// Its path.
        pub path: String,
        /// Its lifetime; with none no cookie is made.
        pub ttl: Option<String> as super::schema::Duration,
        /// More attributes of the cookie that is made.
        pub attributes: Vec<HTTPCookieAttribute>,
    }

    /// A cookie's attribute.
    pub struct HTTPCookieAttribute {
        /// As `SameSite`.
        pub name: String,
        /// As `Lax`.
        pub value: String,
    }

    /// Ketama's ring.
    pub struct RingHash {
        /// 1024 by default.
        pub minimum_ring_size: Option<i64>,
    }

    /// Maglev's table.
    pub struct MagLev {
        /// A prime; 65537 by default.
        pub table_size: Option<i64>,
    }

    /// By and by.
    pub struct WarmupConfiguration {
        /// How long.
        pub duration: Option<String> as super::schema::Duration,
        /// The share at the start, in percent.
        pub minimum_percent: Option<f64>,
        /// The curve's exponent.
        pub aggression: Option<f64>,
    }

    /// Weights and failover by place.
    pub struct LocalityLoadBalancerSetting {
        /// Shares.
        pub distribute: Vec<LocalityDistribute>,
        /// Where to when a region fails.
        pub failover: Vec<LocalityFailover>,
        /// Labels that order endpoints.
        pub failover_priority: Vec<String>,
        /// Off where false.
        pub enabled: Option<bool>,
    }

    /// Shares of one origin.
    pub struct LocalityDistribute {
        /// `region/zone/sub-zone`, `*` for the rest.
        pub from: String,
        /// Shares that sum up to 100.
        pub to: BTreeMap<String, i64>,
    }

    /// From region to region.
    pub struct LocalityFailover {
        /// The one that fails.
        pub from: String,
        /// The one that takes over.
        pub to: String,
    }

    /// At least one of two.
    pub struct ConnectionPoolSettings {
        /// For connections.
        pub tcp: Option<TCPSettings>,
        /// For requests.
        pub http: Option<HTTPSettings>,
    }

    /// For connections; 0 is unset.
    pub struct TCPSettings {
        /// At once.
        pub max_connections: i64,
        /// 10 s by default.
        pub connect_timeout: Option<String> as super::schema::Duration,
        /// SO_KEEPALIVE.
        pub tcp_keepalive: Option<TcpKeepalive>,
        /// A connection's longest life.
        pub max_connection_duration: Option<String> as super::schema::Duration,
        /// Closes idle connections.
        pub idle_timeout: Option<String> as super::schema::Duration,
    }

    /// SO_KEEPALIVE.
    pub struct TcpKeepalive {
        /// How many, before the connection is dead.
        pub probes: i64,
        /// Idle time before the first.
        pub time: Option<String> as super::schema::Duration,
        /// Between probes.
        pub interval: Option<String> as super::schema::Duration,
    }

    /// For requests; 0 is unset.
    pub struct HTTPSettings {
        /// Requests that wait for a connection.
        pub http1_max_pending_requests: i64,
        /// Requests at once, HTTP/1 too.
        pub http2_max_requests: i64,
        /// 1 turns keep-alive off.
        pub max_requests_per_connection: i64,
        /// Retries at once.
        pub max_retries: i64,
        /// Closes idle connections.
        pub idle_timeout: Option<String> as super::schema::Duration,
        /// `DEFAULT`, `DO_NOT_UPGRADE`, `UPGRADE`.
        pub h2_upgrade_policy: Option<String> as H2_UPGRADE_POLICIES,
        /// The client's protocol upstream too.
        pub use_client_protocol: bool,
        /// On one HTTP/2 connection.
        pub max_concurrent_streams: i64,
        /// HTTP/2 pings.
        pub http2_keep_alive: Option<HTTP2KeepAlive>,
    }

    /// HTTP/2 pings.
    pub struct HTTP2KeepAlive {
        /// Between pings.
        pub interval: Option<String> as super::schema::Duration,
        /// For an answer.
        pub timeout: Option<String> as super::schema::Duration,
    }

    /// When an endpoint is left out.
    pub struct OutlierDetection {
        /// Deprecated: gateway errors in a row.
        pub consecutive_errors: i64,
        /// Local failures apart from the upstream's.
        pub split_external_local_origin_errors: bool,
        /// Local failures in a row.
        pub consecutive_local_origin_failures: Option<i64>,
        /// 502, 503, 504 in a row.
        pub consecutive_gateway_errors: Option<i64>,
        /// 5xx in a row.
        pub consecutive_5xx_errors: Option<i64>,
        /// Between looks.
        pub interval: Option<String> as super::schema::Duration,
        /// Times the number of ejections.
        pub base_ejection_time: Option<String> as super::schema::Duration,
        /// Of all endpoints; 0 is Envoy's 10.
        pub max_ejection_percent: i64,
        /// Below it nobody is left out.
        pub min_health_percent: i64,
        /// The only statuses that count.
        pub outlier_detection_http_error_codes: Vec<i64>,
    }

    /// TLS to the upstream.
    pub struct ClientTLSSettings {
        /// `DISABLE`, `SIMPLE`, `MUTUAL`, `ISTIO_MUTUAL`.
        pub mode: Option<String> as TLS_MODES,
        /// A file.
        pub client_certificate: String,
        /// A file.
        pub private_key: String,
        /// A file; none trusts anyone.
        pub ca_certificates: String,
        /// A Kubernetes secret.
        pub credential_name: String,
        /// Names the upstream may have.
        pub subject_alt_names: Vec<String>,
        /// Server name indication.
        pub sni: String,
        /// Trust anyone.
        pub insecure_skip_verify: Option<bool>,
        /// A file of revoked certificates.
        pub ca_crl: String,
    }

    /// CONNECT or POST tunnels.
    pub struct TunnelSettings {
        /// `CONNECT` or `POST`.
        pub protocol: String,
        /// Where the tunnel ends.
        pub target_host: String,
        /// Where the tunnel ends.
        pub target_port: i64,
    }

    /// The PROXY protocol.
    pub struct ProxyProtocol {
        /// `V1` or `V2`.
        pub version: Option<String> as PROXY_PROTOCOLS,
    }

    /// Retries as a share of what is under way.
    pub struct RetryBudget {
        /// 20 by default.
        pub percent: Option<f64>,
        /// Over this time.
        pub budget_interval: Option<String> as super::schema::Duration,
        /// 3 by default.
        pub min_retry_concurrency: Option<i64>,
    }
}
