//! `networking.istio.io` ServiceEntry, as written.

use std::collections::BTreeMap;

use super::message;

/// `ServiceEntry.Location`.
pub(crate) const LOCATIONS: [&str; 2] = ["MESH_EXTERNAL", "MESH_INTERNAL"];
/// `ServiceEntry.Resolution`.
pub(crate) const RESOLUTIONS: [&str; 5] = ["NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS"];

message! {
    /// A service by its endpoints.
    pub struct ServiceEntry {
        /// Its names.
        pub hosts: Vec<String>,
        /// Its virtual addresses.
        pub addresses: Vec<String>,
        /// Its ports.
        pub ports: Vec<ServicePort>,
        /// `MESH_EXTERNAL` or `MESH_INTERNAL`.
        pub location: Option<String> as LOCATIONS,
        /// `NONE`, `STATIC`, `DNS`, `DNS_ROUND_ROBIN`, `DYNAMIC_DNS`.
        pub resolution: Option<String> as RESOLUTIONS,
        /// Where it is served.
        pub endpoints: Vec<WorkloadEntry>,
        /// Endpoints by label; needs Kubernetes, or WorkloadEntry objects.
        pub workload_selector: Option<LabelSelector>,
        /// The namespaces that see it.
        pub export_to: Vec<String>,
        /// Names its certificates may have.
        pub subject_alt_names: Vec<String>,
    }

    /// A port of a service.
    pub struct ServicePort {
        /// 1 to 65535.
        pub number: i64,
        /// `HTTP`, `HTTPS`, `GRPC`, `HTTP2`, `MONGO`, `TCP`, `TLS`.
        pub protocol: String,
        /// As `http-web`.
        pub name: String,
        /// The endpoints' port, where it is another.
        pub target_port: i64,
    }

    /// One endpoint.
    pub struct WorkloadEntry {
        /// An address, a name, or a `unix://` path.
        pub address: String,
        /// Its ports by the service port's name.
        pub ports: BTreeMap<String, i64>,
        /// Its labels, which subsets select.
        pub labels: BTreeMap<String, String>,
        /// Its network.
        pub network: String,
        /// As `region/zone/sub-zone`.
        pub locality: String,
        /// Its share.
        pub weight: i64,
        /// Its identity.
        pub service_account: String,
    }

    /// Workloads by label.
    pub struct LabelSelector {
        /// All of them.
        pub labels: BTreeMap<String, String>,
    }
}
