//! The files that documents name. Envoy refuses a cluster or a listener whose file it cannot read, and with it everything that came in one piece.

use std::path::PathBuf;

use super::Manifests;
use super::callers::{Callers, Credential, refused};
use crate::config::Object;
use crate::config::destination_rule::{ClientTLSSettings, DestinationRule, TrafficPolicy};
use crate::config::gateway::{Gateway, ServerTLSSettings};
use crate::finding::{Finding, Severity, Sort};

/// A file, and what is to be said where it cannot be read.
pub type File = (PathBuf, Finding);

impl Manifests {
    /// Every file that has to be there.
    pub fn files(&self, callers: &Callers) -> Vec<File> {
        let resources = &self.config.resources;
        let rules = resources.destination_rules.iter().flat_map(of_rule);
        let gateways = resources.gateways.iter().flat_map(of_gateway);
        rules.chain(gateways).chain(of_callers(callers)).collect()
    }
}

fn of_rule(rule: &Object<DestinationRule>) -> Vec<File> {
    let top = rule
        .spec
        .traffic_policy
        .iter()
        .map(|policy| ("trafficPolicy".to_owned(), policy));
    let subsets = rule.spec.subsets.iter().enumerate().filter_map(|(index, subset)| {
        let policy = subset.traffic_policy.as_ref()?;
        Some((format!("subsets[{index}].trafficPolicy"), policy))
    });
    let settings = top.chain(subsets).flat_map(|(at, policy)| settings_of(&at, policy));
    let named = settings.flat_map(|(at, tls)| client(tls).map(move |(field, file)| (format!("{at}.{field}"), file)));
    named.map(|(path, file)| in_object(rule, path, file)).collect()
}

fn settings_of<'a>(at: &str, policy: &'a TrafficPolicy) -> Vec<(String, &'a ClientTLSSettings)> {
    let own = policy.tls.iter().map(|tls| (format!("{at}.tls"), tls));
    let ports = policy.port_level_settings.iter().enumerate();
    let ports =
        ports.filter_map(|(index, port)| Some((format!("{at}.portLevelSettings[{index}].tls"), port.tls.as_ref()?)));
    own.chain(ports).collect()
}

fn client(tls: &ClientTLSSettings) -> impl Iterator<Item = (&'static str, &str)> {
    let mode = tls.mode.as_deref().unwrap_or_default();
    let read = ["SIMPLE", "MUTUAL"].contains(&mode) && tls.credential_name.is_empty();
    let shown = read && mode == "MUTUAL";
    let checked = read && !tls.insecure_skip_verify.unwrap_or_default();
    named([
        (shown, "clientCertificate", &tls.client_certificate),
        (shown, "privateKey", &tls.private_key),
        (checked, "caCertificates", &tls.ca_certificates),
        (checked, "caCrl", &tls.ca_crl),
    ])
}

fn of_gateway(gateway: &Object<Gateway>) -> Vec<File> {
    let servers = gateway.spec.servers.iter().enumerate();
    let settings = servers.filter_map(|(index, server)| Some((format!("servers[{index}].tls"), server.tls.as_ref()?)));
    let files = settings.flat_map(|(at, tls)| {
        let pairs = tls.tls_certificates.iter().enumerate().flat_map(|(index, pair)| {
            let files = named([
                (true, "serverCertificate", &pair.server_certificate),
                (true, "privateKey", &pair.private_key),
                (true, "caCertificates", &pair.ca_certificates),
            ]);
            files.map(move |(field, file)| (format!("tlsCertificates[{index}].{field}"), file))
        });
        let own = server(tls).map(|(field, file)| (field.to_owned(), file));
        let all: Vec<_> = own.chain(pairs).collect();
        all.into_iter()
            .map(move |(field, file)| (format!("{at}.{field}"), file))
    });
    files.map(|(path, file)| in_object(gateway, path, file)).collect()
}

fn server(tls: &ServerTLSSettings) -> impl Iterator<Item = (&'static str, &str)> {
    let mode = tls.mode.as_deref().unwrap_or_default();
    let read = ["SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL"].contains(&mode);
    let asks = read && mode != "SIMPLE";
    named([
        (read, "serverCertificate", &tls.server_certificate),
        (read, "privateKey", &tls.private_key),
        (asks, "caCertificates", &tls.ca_certificates),
        (asks, "caCrl", &tls.ca_crl),
    ])
}

fn of_callers(callers: &Callers) -> Vec<File> {
    let identity = callers
        .identity
        .iter()
        .map(|identity| ("identity".to_owned(), identity));
    let credentials = callers.credentials.iter();
    let all = identity.chain(credentials.map(|(name, credential)| (format!("credentials.{name}"), credential)));
    let files = all.flat_map(|(at, credential)| {
        credential
            .files()
            .map(move |(field, file)| (format!("{at}.{field}"), file))
    });
    files
        .map(|(path, file)| (file.into(), refused(&path, unreadable(file))))
        .collect()
}

impl Credential {
    fn files(&self) -> impl Iterator<Item = (&'static str, &str)> {
        named([
            (true, "certificate", &self.certificate),
            (true, "privateKey", &self.private_key),
            (true, "caCertificates", &self.ca_certificates),
        ])
    }
}

/// Those that are read and written.
fn named<'a, const N: usize>(
    files: [(bool, &'static str, &'a String); N],
) -> impl Iterator<Item = (&'static str, &'a str)> {
    let there = files.into_iter().filter(|(read, _, file)| *read && !file.is_empty());
    there.map(|(_, field, file)| (field, file.as_str()))
}

fn unreadable(file: &str) -> String {
    format!("`{file}` cannot be read; Envoy would refuse what names it")
}

fn in_object<S>(object: &Object<S>, path: String, file: &str) -> File {
    let finding = Finding {
        severity: Severity::Error,
        sort: Sort::Validation,
        code: "",
        resource: Some(object.resource),
        object: object.reference(),
        path,
        message: unreadable(file),
        related: Vec::new(),
    };
    (file.into(), finding)
}
