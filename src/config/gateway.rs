//! `networking.istio.io` Gateway, as written.

use std::collections::BTreeMap;

use super::message;

/// `ServerTLSSettings.TLSmode`.
pub(crate) const TLS_MODES: [&str; 6] = [
    "PASSTHROUGH",
    "SIMPLE",
    "MUTUAL",
    "AUTO_PASSTHROUGH",
    "ISTIO_MUTUAL",
    "OPTIONAL_MUTUAL",
];
/// `ServerTLSSettings.TLSProtocol`.
pub(crate) const TLS_PROTOCOLS: [&str; 5] = ["TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3"];

message! {
    /// The servers of a proxy at the edge.
    pub struct Gateway {
        /// What it listens on.
        pub servers: Vec<Server>,
        /// The workloads it is for.
        pub selector: BTreeMap<String, String>,
    }

    /// One port.
    pub struct Server {
        /// Which.
        pub port: Option<Port>,
        /// The address to listen on.
        pub bind: String,
        /// The hosts it serves, as `namespace/name` or a name.
        pub hosts: Vec<String>,
        /// Certificates, and whether plain requests are sent to https.
        pub tls: Option<ServerTLSSettings>,
        /// Its name in statistics.
        pub name: String,
        /// Never implemented by Istio.
        pub default_endpoint: String,
    }

    /// A port of a server or a service.
    pub struct Port {
        /// 1 to 65535.
        pub number: i64,
        /// `HTTP`, `HTTPS`, `GRPC`, `HTTP2`, `MONGO`, `TCP`, `TLS`.
        pub protocol: String,
        /// As `http-web`.
        pub name: String,
        /// Deprecated.
        pub target_port: i64,
    }

    /// Certificates of a server.
    pub struct ServerTLSSettings {
        /// Sends plain requests to https with 301.
        pub https_redirect: bool,
        /// `PASSTHROUGH`, `SIMPLE`, `MUTUAL`, `AUTO_PASSTHROUGH`, `ISTIO_MUTUAL`, `OPTIONAL_MUTUAL`.
        pub mode: Option<String> as TLS_MODES,
        /// A file.
        pub server_certificate: String,
        /// A file.
        pub private_key: String,
        /// A file.
        pub ca_certificates: String,
        /// A file of revoked certificates.
        pub ca_crl: String,
        /// A Kubernetes secret.
        pub credential_name: String,
        /// Several of them.
        pub credential_names: Vec<String>,
        /// Pairs of files.
        pub tls_certificates: Vec<TLSCertificate>,
        /// Names a client may have.
        pub subject_alt_names: Vec<String>,
        /// A client's certificate by its key's hash.
        pub verify_certificate_spki: Vec<String>,
        /// A client's certificate by its hash.
        pub verify_certificate_hash: Vec<String>,
        /// As `TLSV1_2`.
        pub min_protocol_version: Option<String> as TLS_PROTOCOLS,
        /// As `TLSV1_3`.
        pub max_protocol_version: Option<String> as TLS_PROTOCOLS,
        /// OpenSSL's names.
        pub cipher_suites: Vec<String>,
    }

    /// A pair of files.
    pub struct TLSCertificate {
        /// The chain.
        pub server_certificate: String,
        /// The key.
        pub private_key: String,
        /// A file.
        pub ca_certificates: String,
    }
}
