//! The plugin's own fields: who the proxy is, and its limits.

use super::http_match::is_header_name;
use super::{At, name, value};
use crate::config::{Config, Options, Proxy};
use crate::reserved;

pub(super) fn validate(at: &At, config: &Config) {
    proxy(&at.field("proxy"), &config.proxy);
    options(&at.field("options"), &config.options);
    if config.options.native_mirrors && config.proxy.port.is_none() {
        let message = "is for routes that switchyard makes, which have a `proxy.port`; leave it out, and the filter makes the copies";
        at.field("options").field("nativeMirrors").refuse(message);
    }
}

fn proxy(at: &At, proxy: &Proxy) {
    if !name::is_label(&proxy.namespace) {
        at.field("namespace")
            .refuse(format!("`{}` is no namespace", proxy.namespace));
    }
    if let Err(message) = name::host(&proxy.domain, false) {
        at.field("domain").refuse(message);
    }
    for (at, gateway) in at.each("gateways", &proxy.gateways) {
        let parts = gateway.split_once('/').unwrap_or(("default", gateway));
        if !name::is_label(parts.0) || !name::is_label(parts.1) {
            at.refuse(format!(
                "`{gateway}` is no gateway's name; write mesh, namespace/name or name"
            ));
        }
    }
    if let Some(port) = proxy.port.filter(|port| !value::PORTS.contains(port)) {
        at.field("port").refuse(format!("{port} is no port; write 1 to 65535"));
    }
}

fn options(at: &At, options: &Options) {
    for (field, limit) in [
        ("maxActiveFaults", options.max_active_faults),
        ("maxActiveMirrors", options.max_active_mirrors),
        ("maxMirrorBodyBytes", options.max_mirror_body_bytes),
        ("maxMirrorBufferBytes", options.max_mirror_buffer_bytes),
        ("mirrorTimeoutMs", options.mirror_timeout_ms),
        ("maxRegexBytes", options.max_regex_bytes),
    ] {
        if u32::try_from(limit).is_err() {
            at.field(field)
                .refuse(format!("{limit} is no limit; write 0 to {}", u32::MAX));
        }
    }
    let Some(header) = &options.explain_header else { return };
    let is_reserved = reserved::ALL.iter().any(|name| name.eq_ignore_ascii_case(header));
    if !is_header_name(header) || is_reserved {
        at.field("explainHeader")
            .refuse(format!("`{header}` is no header that a client may send; name another"));
    }
}
