//! A VirtualService's routes of TLS and TCP, as written. They are not ours to serve; they are read so that what Istio would refuse is refused.

use std::collections::BTreeMap;

use super::message;
use super::virtual_service::Destination;

message! {
    /// One rule for TLS that is passed through.
    pub struct TLSRoute {
        /// Any of these.
        pub r#match: Vec<TLSMatchAttributes>,
        /// Weighted destinations.
        pub route: Vec<RouteDestination>,
    }

    /// One rule for TCP.
    pub struct TCPRoute {
        /// Any of these; empty matches everything.
        pub r#match: Vec<L4MatchAttributes>,
        /// Weighted destinations.
        pub route: Vec<RouteDestination>,
    }

    /// All of these conditions.
    pub struct TLSMatchAttributes {
        /// Server names a client asks for, or wildcards.
        pub sni_hosts: Vec<String>,
        /// Addresses the connection was for.
        pub destination_subnets: Vec<String>,
        /// The port the connection was for; 0 is any.
        pub port: i64,
        /// Labels the calling workload has.
        pub source_labels: BTreeMap<String, String>,
        /// Gateways the match is for.
        pub gateways: Vec<String>,
        /// The calling workload's namespace.
        pub source_namespace: String,
    }

    /// All of these conditions.
    pub struct L4MatchAttributes {
        /// Addresses the connection was for.
        pub destination_subnets: Vec<String>,
        /// The port the connection was for; 0 is any.
        pub port: i64,
        /// Reserved.
        pub source_subnet: String,
        /// Labels the calling workload has.
        pub source_labels: BTreeMap<String, String>,
        /// Gateways the match is for.
        pub gateways: Vec<String>,
        /// The calling workload's namespace.
        pub source_namespace: String,
    }

    /// A destination and its share.
    pub struct RouteDestination {
        /// Where to.
        pub destination: Option<Destination>,
        /// Its share of the sum of all; a lone destination takes everything.
        pub weight: i64,
    }
}
