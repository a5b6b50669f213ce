//! `tls` of a gateway's server.
//!
//! `validateTLSOptions`, istio `pkg/config/validation/validation.go`.

use super::{At, value};
use crate::config::gateway::{ServerTLSSettings, TLS_MODES, TLS_PROTOCOLS};

const CIPHER_SUITES: [&str; 15] = [
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-RSA-AES128-SHA",
    "ECDHE-ECDSA-AES256-SHA",
    "ECDHE-RSA-AES256-SHA",
    "AES128-GCM-SHA256",
    "AES256-GCM-SHA384",
    "AES128-SHA",
    "AES256-SHA",
    "DES-CBC3-SHA",
];

pub(super) fn server_tls(at: &At, tls: &ServerTLSSettings) {
    value::enumeration(&at.field("mode"), tls.mode.as_ref(), &TLS_MODES);
    value::enumeration(
        &at.field("minProtocolVersion"),
        tls.min_protocol_version.as_ref(),
        &TLS_PROTOCOLS,
    );
    value::enumeration(
        &at.field("maxProtocolVersion"),
        tls.max_protocol_version.as_ref(),
        &TLS_PROTOCOLS,
    );
    ciphers(at, tls);
    let mode = tls.mode.as_deref().unwrap_or("PASSTHROUGH");
    let sources = sources(tls);
    match mode {
        "ISTIO_MUTUAL" => {
            let fields = written(tls).into_iter().filter(|(field, _)| *field != "caCrl");
            for (field, _) in fields.filter(|(_, is_there)| *is_there) {
                at.field(field)
                    .error("stands in mode ISTIO_MUTUAL, which has Istio's certificates; remove it");
            }
            return;
        }
        "PASSTHROUGH" | "AUTO_PASSTHROUGH" if written(tls).iter().any(|(_, is_there)| *is_there) => {
            at.warn(format!("has certificates, which mode {mode} does not use; remove them"));
        }
        _ => {}
    }
    if let [first, rest @ ..] = &sources[..]
        && !rest.is_empty()
    {
        at.error(format!("has {first} and {}; keep one of them", rest.join(" and ")));
    }
    let has_secret = !tls.credential_name.is_empty() || !tls.credential_names.is_empty();
    if ["SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL"].contains(&mode) && !has_secret {
        files(at, tls, mode);
    }
    if !has_secret && !tls.ca_crl.is_empty() && mode == "SIMPLE" {
        at.field("caCrl")
            .error("checks clients' certificates, which mode SIMPLE does not ask for; remove it");
    }
}

fn files(at: &At, tls: &ServerTLSSettings, mode: &str) {
    if mode != "SIMPLE" && tls.ca_certificates.is_empty() {
        at.field("caCertificates")
            .error(format!("is missing; mode {mode} checks clients by it"));
    }
    let need = |at: &At, field: &str, file: &str| {
        if file.is_empty() {
            at.field(field)
                .error(format!("is missing; mode {mode} needs it, or credentialName"));
        }
    };
    if tls.tls_certificates.is_empty() {
        need(at, "serverCertificate", &tls.server_certificate);
        need(at, "privateKey", &tls.private_key);
    }
    if tls.tls_certificates.len() > 2 {
        at.field("tlsCertificates")
            .warn("has more than two certificates; Envoy uses two");
    }
    for (at, pair) in at.each("tlsCertificates", &tls.tls_certificates) {
        need(&at, "serverCertificate", &pair.server_certificate);
        need(&at, "privateKey", &pair.private_key);
    }
}

fn written(tls: &ServerTLSSettings) -> [(&'static str, bool); 7] {
    [
        ("serverCertificate", !tls.server_certificate.is_empty()),
        ("privateKey", !tls.private_key.is_empty()),
        ("caCertificates", !tls.ca_certificates.is_empty()),
        ("caCrl", !tls.ca_crl.is_empty()),
        ("credentialName", !tls.credential_name.is_empty()),
        ("credentialNames", !tls.credential_names.is_empty()),
        ("tlsCertificates", !tls.tls_certificates.is_empty()),
    ]
}

/// Where the server's certificate comes from.
fn sources(tls: &ServerTLSSettings) -> Vec<&'static str> {
    let pair = !tls.server_certificate.is_empty() && !tls.private_key.is_empty();
    let fields = written(tls).into_iter();
    fields
        .filter(|(field, is_there)| match *field {
            "serverCertificate" => pair,
            "credentialName" | "credentialNames" | "tlsCertificates" => *is_there,
            _ => false,
        })
        .map(|(field, _)| field)
        .collect()
}

fn ciphers(at: &At, tls: &ServerTLSSettings) {
    let is_old = |version: &String| ["TLSV1_0", "TLSV1_1"].contains(&version.as_str());
    if tls.min_protocol_version.as_ref().is_some_and(is_old) && tls.cipher_suites.is_empty() {
        at.field("cipherSuites")
            .warn("is missing; the default ones do not fit a version below TLSV1_2");
    }
    // Suites may be combined with operators; such a text is Envoy's to read.
    let is_plain = |suite: &str| suite != "ALL" && suite.starts_with(|first: char| first.is_ascii_alphanumeric());
    for (index, (at, suite)) in at.each("cipherSuites", &tls.cipher_suites).enumerate() {
        if is_plain(suite) && !CIPHER_SUITES.contains(&suite.as_str()) {
            at.warn(format!("`{suite}` is no cipher suite; it is passed over"));
        } else if tls.cipher_suites.iter().take(index).any(|earlier| earlier == suite) {
            at.warn(format!("`{suite}` is here twice"));
        }
    }
}
