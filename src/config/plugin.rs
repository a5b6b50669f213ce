//! The plugin's own fields.

use std::collections::BTreeMap;

use super::message;

message! {
    own default:

    /// Who this proxy is, and what it listens for.
    pub struct Proxy {
        /// The namespace of the workload, against which short names and `exportTo` are read.
        pub namespace: String,
        /// The cluster's domain.
        pub domain: String,
        /// The workload's labels, for `sourceLabels` and `workloadSelector`.
        pub labels: BTreeMap<String, String>,
        /// The gateways it serves, as `namespace/name` or `name` in its own namespace; `mesh` is a sidecar.
        pub gateways: Vec<String>,
        /// The service port its listener stands for (a gateway's server port); with none, the port that a request's `:authority` names, or
        /// the one that it came to.
        pub port: Option<i64>,
    }
}

impl Default for Proxy {
    fn default() -> Self {
        Proxy {
            namespace: "default".to_owned(),
            domain: "cluster.local".to_owned(),
            labels: BTreeMap::new(),
            gateways: vec!["mesh".to_owned()],
            port: None,
        }
    }
}

message! {
    own default:

    /// The filter's choices and every limit it keeps.
    pub struct Options {
        /// Whether a mirrored request's host gets `-shadow`, as Istio did before 1.28.
        pub shadow_host_suffix: bool,
        /// Whether Envoy's own router makes the copies of mirrored requests: of streams too, with trailers, of any length. It does so in routes
        /// that switchyard makes (`run`, `bootstrap`) and nowhere else; a configuration without `proxy.port`, as inside Istio, is refused.
        pub native_mirrors: bool,
        /// The request header that asks for an explanation, whatever its value, and the response header that brings it; none by default.
        /// Whoever knows the name is told rules and clusters: choose one that cannot be guessed. It goes no further than the filter.
        pub explain_header: Option<String>,
        /// Whether decisions are left for access logs, as filter state. Where no log reads them they are work for nothing.
        pub filter_state: bool,
        /// Requests that may wait in injected delays at once, a worker; beyond it a delay is skipped and counted.
        pub max_active_faults: i64,
        /// Mirrored requests under way at once, a worker; beyond it a mirror is skipped and counted.
        pub max_active_mirrors: i64,
        /// The longest body that is mirrored, in bytes; above it the mirror is given up and counted.
        pub max_mirror_body_bytes: i64,
        /// Bytes of bodies kept for mirrors at once, a worker; beyond it a mirror is given up and counted.
        pub max_mirror_buffer_bytes: i64,
        /// How long a mirrored request may take, in milliseconds, where its rule has no timeout.
        pub mirror_timeout_ms: i64,
        /// Memory one compiled regular expression may take, in bytes; above it the expression is refused.
        pub max_regex_bytes: i64,
    }
}

impl Default for Options {
    fn default() -> Self {
        Options {
            shadow_host_suffix: true,
            native_mirrors: false,
            explain_header: None,
            filter_state: true,
            max_active_faults: 4096,
            max_active_mirrors: 1024,
            max_mirror_body_bytes: 1 << 20,
            max_mirror_buffer_bytes: 64 << 20,
            mirror_timeout_ms: 15_000,
            max_regex_bytes: 1 << 20,
        }
    }
}
