//! `tls` to an upstream.
//!
//! `ValidateTLS`, istio `pkg/config/validation/agent/validation.go`.

use super::{At, value};
use crate::config::destination_rule::{ClientTLSSettings, TLS_MODES};

pub(super) fn client_tls(at: &At, tls: &ClientTLSSettings) {
    value::enumeration(&at.field("mode"), tls.mode.as_ref(), &TLS_MODES);
    let is_mutual = tls.mode.as_deref() == Some("MUTUAL");
    let is_simple = tls.mode.as_deref() == Some("SIMPLE");
    if tls.insecure_skip_verify == Some(true) && (is_simple || is_mutual) {
        let trust = [
            ("caCertificates", !tls.ca_certificates.is_empty()),
            ("subjectAltNames", !tls.subject_alt_names.is_empty()),
            ("credentialName", is_simple && !tls.credential_name.is_empty()),
        ];
        for (field, _) in trust.iter().filter(|(_, is_there)| *is_there) {
            at.field(field)
                .error("says whom to trust beside insecureSkipVerify, which trusts anyone; keep one of them");
        }
    }
    if !tls.credential_name.is_empty() && (is_simple || is_mutual) {
        let files = [
            ("clientCertificate", &tls.client_certificate),
            ("privateKey", &tls.private_key),
            ("caCertificates", &tls.ca_certificates),
            ("caCrl", &tls.ca_crl),
        ];
        for (field, _) in files.iter().filter(|(_, file)| !file.is_empty()) {
            at.field(field)
                .error("stands beside credentialName; keep the secret or the files");
        }
    } else if is_mutual {
        for (field, file) in [
            ("clientCertificate", &tls.client_certificate),
            ("privateKey", &tls.private_key),
        ] {
            if file.is_empty() {
                at.field(field).error("is missing; MUTUAL shows a client's certificate");
            }
        }
    }
}
