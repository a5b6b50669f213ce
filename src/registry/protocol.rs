//! The protocol of a service's port, as Istio reads it from names.

/// What a port carries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// HTTP/1.1.
    Http,
    /// HTTP/2 without TLS.
    Http2,
    /// gRPC.
    Grpc,
    /// gRPC for browsers.
    GrpcWeb,
    /// HTTP in TLS that the proxy does not open.
    Https,
    /// Anything in TLS.
    Tls,
    /// Any stream of bytes.
    Tcp,
    /// Datagrams.
    Udp,
    /// Not said: Istio looks at the first bytes.
    #[default]
    Unknown,
}

impl Protocol {
    /// The protocol of a name, case aside: `protocol` of a ServiceEntry's or Gateway's port.
    ///
    /// `Parse`, istio `pkg/config/protocol/instance.go`.
    pub fn parse(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "http" | "http_proxy" => Protocol::Http,
            "http2" => Protocol::Http2,
            "grpc" => Protocol::Grpc,
            "grpc-web" => Protocol::GrpcWeb,
            "https" => Protocol::Https,
            "tls" => Protocol::Tls,
            "tcp" | "mongo" | "redis" | "mysql" => Protocol::Tcp,
            "udp" => Protocol::Udp,
            _ => Protocol::Unknown,
        }
    }

    /// The protocol of a Kubernetes Service's port: its `appProtocol` where there is one, else its name up to the first `-`.
    ///
    /// `ConvertProtocol`, istio `pkg/config/kube/conversion.go`.
    pub fn of_kubernetes_port(number: u16, name: &str, app_protocol: &str, transport: &str) -> Self {
        if transport == "UDP" {
            return Protocol::Udp;
        }
        match app_protocol {
            "kubernetes.io/h2c" => return Protocol::Http2,
            "kubernetes.io/ws" => return Protocol::Http,
            "kubernetes.io/wss" => return Protocol::Https,
            _ => {}
        }
        let name = if app_protocol.is_empty() { name } else { app_protocol };
        let name = name.to_ascii_lowercase();
        if name.starts_with("grpc-web") {
            return Protocol::GrpcWeb;
        }
        match Self::parse(name.split('-').next().unwrap_or_default()) {
            // Servers that speak first would wait for ever to be looked at: mail, names, MySQL, MongoDB.
            Protocol::Unknown if [25, 53, 3306, 27017].contains(&number) => Protocol::Tcp,
            protocol => protocol,
        }
    }

    /// Whether it is said to be HTTP that a proxy can read.
    pub fn is_http(self) -> bool {
        matches!(
            self,
            Protocol::Http | Protocol::Http2 | Protocol::Grpc | Protocol::GrpcWeb
        )
    }

    /// Whether it is HTTP, or not said to be anything else.
    pub fn may_be_http(self) -> bool {
        self.is_http() || self == Protocol::Unknown
    }

    /// Whether upstreams are spoken to in HTTP/2.
    pub fn is_http2(self) -> bool {
        matches!(self, Protocol::Http2 | Protocol::Grpc | Protocol::GrpcWeb)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_up_to_its_first_hyphen() {
        let named = |name| Protocol::of_kubernetes_port(80, name, "", "TCP");
        assert_eq!(named("http-web"), Protocol::Http);
        assert_eq!(named("HTTP2"), Protocol::Http2);
        assert_eq!(named("grpc-web-x"), Protocol::GrpcWeb);
        assert_eq!(named("grpc-api"), Protocol::Grpc);
        assert_eq!(named("httpx"), Protocol::Unknown);
        assert_eq!(named(""), Protocol::Unknown);
    }

    #[test]
    fn the_app_protocol_wins_over_the_name() {
        let said = |app_protocol| Protocol::of_kubernetes_port(80, "http", app_protocol, "TCP");
        assert_eq!(said("kubernetes.io/h2c"), Protocol::Http2);
        assert_eq!(said("tcp"), Protocol::Tcp);
        assert_eq!(said("example.com/own"), Protocol::Unknown);
    }

    #[test]
    fn a_well_known_port_without_a_name_is_no_http() {
        assert_eq!(Protocol::of_kubernetes_port(3306, "", "", "TCP"), Protocol::Tcp);
        assert!(Protocol::of_kubernetes_port(8080, "", "", "TCP").may_be_http());
        assert_eq!(Protocol::of_kubernetes_port(80, "http", "", "UDP"), Protocol::Udp);
    }
}
