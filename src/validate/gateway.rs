//! `ValidateGateway`.

use super::server_tls::server_tls;
use super::{At, name, value};
use crate::config::gateway::{Gateway, Server};

const UNIX: &str = "unix://";
const PASSTHROUGH: [Option<&str>; 3] = [None, Some("PASSTHROUGH"), Some("AUTO_PASSTHROUGH")];

pub(super) fn validate(at: &At, spec: &Gateway) {
    if !name::is_label(at.name()) {
        at.field("metadata.name").error(format!(
            "`{}` is no gateway's name: letters, digits and dashes",
            at.name()
        ));
    }
    if spec.servers.is_empty() {
        at.field("servers").error("is missing; a gateway has a server");
    }
    let mut names: Vec<&str> = Vec::new();
    for (at, server) in at.each("servers", &spec.servers) {
        self::server(&at, server);
        let Some(port) = &server.port else { continue };
        if names.contains(&port.name.as_str()) {
            at.field("port")
                .field("name")
                .error(format!("`{}` is another server's; each has its own", port.name));
        }
        names.push(&port.name);
    }
}

fn server(at: &At, server: &Server) {
    if server.hosts.is_empty() {
        at.field("hosts").error("is missing; name a host, or `*` for all");
    }
    for (at, host) in at.each("hosts", &server.hosts) {
        self::host(&at, host);
    }
    port(&at.field("port"), server);
    bind(&at.field("bind"), server);
    if let Some(tls) = &server.tls {
        server_tls(&at.field("tls"), tls);
    }
    protocol(at, server);
}

/// `namespace/host` or a host, none of which may be short or part of a label.
fn host(at: &At, host: &str) {
    let (namespace, name) = host.split_once('/').unwrap_or(("*", host));
    if !["*", "."].contains(&namespace) && !name::is_label(namespace) {
        at.error(format!(
            "`{namespace}` is no namespace; write namespace/host, or a host"
        ));
    }
    if name != "*" && !name.contains('.') {
        at.error(format!(
            "`{name}` is a short name, which a gateway does not take; write it whole"
        ));
    }
    match name::host(name, true) {
        Err(message) if !name::is_address(name) => at.error(message),
        _ if name.len() > 1 && name.contains('*') && !name.starts_with("*.") => {
            at.error(format!("`{name}` has a wildcard in a label; write `*.` and the rest"));
        }
        _ => {}
    }
}

fn port(at: &At, server: &Server) {
    let Some(port) = &server.port else {
        return at.error("is missing; write number, name and protocol");
    };
    if value::Protocol::parse(&port.protocol).is_none() {
        at.field("protocol").error(format!(
            "`{}` is none of {}",
            port.protocol,
            value::PROTOCOLS.join(", ")
        ));
    }
    if port.number != 0 || !server.bind.starts_with(UNIX) {
        value::port(&at.field("number"), port.number);
    }
    if port.target_port != 0 {
        at.field("targetPort").error("has no meaning at a gateway; remove it");
    }
    if port.name.is_empty() {
        at.field("name").error("is missing; name the port");
    }
}

fn bind(at: &At, server: &Server) {
    if let Some(path) = server.bind.strip_prefix(UNIX) {
        value::unix_path(at, path);
        if server.port.as_ref().is_some_and(|port| port.number != 0) {
            at.error("is a socket's path, which has no port; write number: 0");
        }
    } else if !server.bind.is_empty() && !name::is_address(&server.bind) {
        at.error(format!("`{}` is no address", server.bind));
    }
}

/// Whether the protocol and `tls` go together.
fn protocol(at: &At, server: &Server) {
    let protocol = server
        .port
        .as_ref()
        .and_then(|port| value::Protocol::parse(&port.protocol));
    let Some(protocol) = protocol else { return };
    let tls_at = at.field("tls");
    let Some(tls) = &server.tls else {
        if protocol.is_tls {
            tls_at.error("is missing; HTTPS and TLS need it");
        }
        return;
    };
    let has_files = [&tls.server_certificate, &tls.private_key, &tls.ca_certificates]
        .iter()
        .any(|file| !file.is_empty());
    let only_redirects = PASSTHROUGH.contains(&tls.mode.as_deref()) && !has_files;
    if protocol.is_http && !protocol.is_tls && !only_redirects {
        tls_at.error("stands at a port of plain HTTP; write protocol: HTTPS, or keep httpsRedirect alone");
    } else if !protocol.is_http && !protocol.is_tls {
        tls_at.error("stands at a port without TLS; write protocol: TLS, or remove it");
    }
    if !protocol.is_http && tls.https_redirect {
        tls_at.field("httpsRedirect").warn("is for servers of plain HTTP");
    }
}
