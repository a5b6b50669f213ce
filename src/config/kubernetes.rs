//! What we read of Kubernetes' own Service, EndpointSlice, Endpoints and Pod; their other fields are passed over.

use std::collections::BTreeMap;

use super::message;

message! {
    /// `v1` Service's spec.
    pub struct Service {
        /// Its ports.
        pub ports: Vec<ServicePort>,
        /// `ClusterIP`, `ExternalName`, ...
        pub r#type: String,
        /// The name it stands for, of type `ExternalName`.
        pub external_name: String,
        /// `None` makes it headless.

        pub cluster_ip: String,
        /// The pods it selects.
        pub selector: BTreeMap<String, String>,
    }

    /// A port of a Service.
    pub struct ServicePort {
        /// As `http-web`; EndpointSlices refer to it.
        pub name: String,
        /// 1 to 65535.
        pub port: i64,
        /// As `http` or `kubernetes.io/h2c`.
        pub app_protocol: String,
        /// `TCP`, `UDP`, `SCTP`.
        pub protocol: String,
    }

    /// `discovery.k8s.io` EndpointSlice, which has no spec.
    pub struct EndpointSlice {
        /// Its endpoints.
        pub endpoints: Vec<Endpoint>,
        /// Their ports.
        pub ports: Vec<EndpointPort>,
    }

    /// Addresses of one workload.
    pub struct Endpoint {
        /// Its addresses.
        pub addresses: Vec<String>,
        /// Whether it is ready.
        pub conditions: Option<EndpointConditions>,
        /// Not part of Kubernetes' type: the labels of the pod behind it, which subsets select; a pod's object gives them as well.
        pub labels: BTreeMap<String, String>,
        /// The pod behind it.
        pub target_ref: Option<ObjectReference>,
        /// Its zone.
        pub zone: String,
    }

    /// Whether an endpoint is ready.
    pub struct EndpointConditions {
        /// None means ready.
        pub ready: Option<bool>,
    }

    /// A port of the endpoints.
    pub struct EndpointPort {
        /// The Service port's name.
        pub name: String,
        /// 1 to 65535.
        pub port: i64,
        /// As `http` or `kubernetes.io/h2c`.
        pub app_protocol: String,
    }

    /// `v1` Pod, of which its labels count.
    pub struct Pod {}

    /// Another object.
    pub struct ObjectReference {
        /// As `Pod`.
        pub kind: String,
        /// Its name.
        pub name: String,
        /// Its namespace.
        pub namespace: String,
    }

    /// `v1` Endpoints, which has no spec.
    pub struct Endpoints {
        /// Its subsets.
        pub subsets: Vec<EndpointSubset>,
    }

    /// Addresses that share ports.
    pub struct EndpointSubset {
        /// The ready ones.
        pub addresses: Vec<EndpointAddress>,
        /// Their ports.
        pub ports: Vec<EndpointPort>,
    }

    /// One address.
    pub struct EndpointAddress {
        /// The address.
        pub ip: String,
        /// The pod behind it.
        pub target_ref: Option<ObjectReference>,
        /// As [`Endpoint::labels`].
        pub labels: BTreeMap<String, String>,
    }
}
