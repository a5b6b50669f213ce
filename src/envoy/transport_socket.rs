//! `envoy.config.core.v3.TransportSocket`: TLS from files, and the PROXY protocol around it.
//!
//! `buildUpstreamClusterTLSContext` and `applyUpstreamProxyProtocol`, istio `pilot/pkg/networking/core`; `buildGatewayListenerTLSContext`
//! in `gateway.go`.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

use serde_json::{Value, json};

use super::callers::Credential;
use super::message::{extension, message};
use crate::config::destination_rule::ClientTLSSettings;
use crate::config::gateway::ServerTLSSettings;
use crate::destination_rule::Policy;

/// The files that stand in for what Istio gets from Kubernetes and its own authority.
#[derive(Debug, Clone, Copy)]
pub(super) struct Secrets<'a> {
    /// Whom everyone trusts.
    pub system_ca: &'a Path,
    /// The workload's own certificate.
    pub identity: Option<&'a Credential>,
    /// By the name of a Kubernetes secret.
    pub credentials: &'a BTreeMap<String, Credential>,
}

/// The socket to an upstream; none for plain text.
pub(super) fn upstream(policy: &Policy, subject_alt_names: &[String], http2: bool, secrets: Secrets) -> Option<Value> {
    let tls = policy
        .tls
        .and_then(|settings| client(settings, subject_alt_names, secrets))
        .map(|context| upstream_tls(context, http2));
    let Some(proxy) = policy.proxy_protocol else {
        return tls;
    };
    let raw = || {
        let name = "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer";
        extension("envoy.transport_sockets.raw_buffer", name, json!({}))
    };
    let name = "envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport";
    let config = json!({
        "config": {"version": proxy.version.as_deref().unwrap_or("V1")},
        "transport_socket": tls.unwrap_or_else(raw),
    });
    Some(extension(
        "envoy.transport_sockets.upstream_proxy_protocol",
        name,
        config,
    ))
}

fn upstream_tls(mut context: ClientContext, http2: bool) -> Value {
    if http2 {
        context.alpn = vec!["h2"];
    }
    let name = "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";
    let config = json!({
        "common_tls_context": {
            "tls_params": {"tls_minimum_protocol_version": "TLSv1_2", "tls_maximum_protocol_version": "TLSv1_3"},
            "tls_certificates": context.certificates,
            "validation_context": context.validation,
            "alpn_protocols": (!context.alpn.is_empty()).then_some(context.alpn),
        },
        "sni": context.sni,
    });
    extension("envoy.transport_sockets.tls", name, config)
}

struct ClientContext {
    certificates: Option<Value>,
    validation: Option<Value>,
    alpn: Vec<&'static str>,
    sni: Option<String>,
}

/// What is shown to an upstream and asked of it. Without a certificate of its own a workload speaks `ISTIO_MUTUAL` in plain text: there is
/// no Istio to speak it to.
fn client(settings: &ClientTLSSettings, subject_alt_names: &[String], secrets: Secrets) -> Option<ClientContext> {
    let sni = (!settings.sni.is_empty()).then(|| settings.sni.clone());
    let written = Credential {
        certificate: settings.client_certificate.clone(),
        private_key: settings.private_key.clone(),
        ca_certificates: settings.ca_certificates.clone(),
    };
    let of_secret = secrets.credentials.get(&settings.credential_name);
    let (credential, alpn) = match settings.mode.as_deref().unwrap_or("DISABLE") {
        "ISTIO_MUTUAL" => (secrets.identity?, vec!["istio"]),
        "SIMPLE" | "MUTUAL" => (of_secret.unwrap_or(&written), Vec::new()),
        _ => return None,
    };
    let shows_itself = settings.mode.as_deref() != Some("SIMPLE");
    let names = if settings.subject_alt_names.is_empty() {
        subject_alt_names
    } else {
        &settings.subject_alt_names
    };
    let trusted = if credential.ca_certificates.is_empty() {
        json!(secrets.system_ca)
    } else {
        json!(credential.ca_certificates)
    };
    let validation = json!({
        "trusted_ca": {"filename": trusted},
        "match_typed_subject_alt_names": subject_alt_name_matchers(names),
        "crl": file(&settings.ca_crl),
    });
    Some(ClientContext {
        certificates: shows_itself.then(|| certificates(credential)).flatten(),
        validation: (!settings.insecure_skip_verify.unwrap_or_default()).then_some(validation),
        alpn,
        sni,
    })
}

/// What follows from a request's host where a rule names nothing: the server name asked for, and the names its certificate may have.
pub(super) fn names_by_request(settings: &ClientTLSSettings) -> Option<Value> {
    let by_file = matches!(settings.mode.as_deref(), Some("SIMPLE" | "MUTUAL"));
    if !by_file || !settings.sni.is_empty() {
        return None;
    }
    let unnamed = settings.subject_alt_names.is_empty() && !settings.insecure_skip_verify.unwrap_or_default();
    Some(message(
        json!({"auto_sni": true, "auto_san_validation": unnamed.then_some(true)}),
    ))
}

/// The socket that a gateway's server accepts connections with, or what it lacks.
pub(super) fn downstream(settings: &ServerTLSSettings, secrets: Secrets) -> Result<Value, String> {
    let credentials = server_credentials(settings, secrets)?;
    let mode = settings.mode.as_deref().unwrap_or_default();
    let asks = matches!(mode, "MUTUAL" | "OPTIONAL_MUTUAL");
    let ca = credentials.iter().map(|credential| credential.ca_certificates.as_str());
    let ca = ca
        .chain([settings.ca_certificates.as_str()])
        .find(|file| !file.is_empty());
    if asks && ca.is_none() {
        return Err(format!(
            "{mode} asks clients for a certificate; name caCertificates to check it against"
        ));
    }
    let (spki, hash) = (&settings.verify_certificate_spki, &settings.verify_certificate_hash);
    let validation = asks.then(|| {
        json!({
            "trusted_ca": ca.and_then(file),
            "crl": file(&settings.ca_crl),
            "match_typed_subject_alt_names": subject_alt_name_matchers(&settings.subject_alt_names),
            "verify_certificate_spki": (!spki.is_empty()).then_some(spki),
            "verify_certificate_hash": (!hash.is_empty()).then_some(hash),
        })
    });
    let certificates: Vec<Value> = credentials
        .iter()
        .filter_map(certificates)
        .flat_map(into_list)
        .collect();
    let version = |name: &Option<String>| {
        name.clone()
            .filter(|name| name != "TLS_AUTO")
            .map(|name| name.replace("TLSV", "TLSv"))
    };
    let ciphers = &settings.cipher_suites;
    let config = json!({
        "common_tls_context": {
            "tls_params": {
                "tls_minimum_protocol_version": version(&settings.min_protocol_version).unwrap_or_else(|| "TLSv1_2".to_owned()),
                "tls_maximum_protocol_version": version(&settings.max_protocol_version),
                "cipher_suites": (!ciphers.is_empty()).then_some(ciphers),
            },
            "tls_certificates": certificates,
            "validation_context": validation,
            "alpn_protocols": ["h2", "http/1.1"],
        },
        "require_client_certificate": mode == "MUTUAL",
    });
    let name = "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext";
    Ok(extension("envoy.transport_sockets.tls", name, config))
}

fn server_credentials(settings: &ServerTLSSettings, secrets: Secrets) -> Result<Vec<Credential>, String> {
    let names = settings.credential_names.iter().chain([&settings.credential_name]);
    let mut found = Vec::new();
    for name in names.filter(|name| !name.is_empty()) {
        let credential = secrets.credentials.get(name);
        found.push(credential.cloned().ok_or_else(|| {
            format!("there is no Kubernetes to get the secret `{name}` from; name its files under `credentials` of the callers file")
        })?);
    }
    let pairs = settings.tls_certificates.iter().map(|pair| Credential {
        certificate: pair.server_certificate.clone(),
        private_key: pair.private_key.clone(),
        ca_certificates: pair.ca_certificates.clone(),
    });
    found.extend(pairs);
    if !settings.server_certificate.is_empty() {
        found.push(Credential {
            certificate: settings.server_certificate.clone(),
            private_key: settings.private_key.clone(),
            ca_certificates: settings.ca_certificates.clone(),
        });
    }
    match found.is_empty() {
        true => Err(
            "a server with TLS needs a certificate: serverCertificate and privateKey, or a credentialName".to_owned(),
        ),
        false => Ok(found),
    }
}

fn certificates(credential: &Credential) -> Option<Value> {
    let chain = file(&credential.certificate)?;
    Some(json!([{"certificate_chain": chain, "private_key": file(&credential.private_key)}]))
}

fn into_list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        other => vec![other],
    }
}

fn file(path: &str) -> Option<Value> {
    (!path.is_empty()).then(|| json!({"filename": path}))
}

/// Envoy wants to know what kind of name each is.
fn subject_alt_name_matchers(names: &[String]) -> Option<Vec<Value>> {
    let kind = |name: &str| {
        if name.contains("://") {
            return "URI";
        }
        if name.parse::<IpAddr>().is_ok() {
            "IP_ADDRESS"
        } else {
            "DNS"
        }
    };
    let matcher = |name: &String| json!({"san_type": kind(name), "matcher": {"exact": name}});
    (!names.is_empty()).then(|| names.iter().map(matcher).collect())
}
