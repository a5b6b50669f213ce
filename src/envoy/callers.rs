//! Who calls through an Envoy, and where it listens for them: the one file that is no manifest.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::{Map, Value};

use crate::config::Proxy;
use crate::config::decode::{Json, Unknown, decode};
use crate::config::message;
use crate::finding::{Finding, ObjectRef, Severity, Sort};

message! {
    own default:

    /// All callers of one Envoy. Nothing has to be written: what stands here then serves one machine.
    pub struct Callers {
        /// The cluster's domain.
        pub domain: String,
        /// Where Envoy's admin interface listens, `host:port`; port 0 takes a free one.
        pub admin: String,
        /// The file that Envoy writes its access log to; empty for none.
        pub access_log: String,
        /// Where the machine is, as `region/zone/sub-zone`, for policies that prefer what is near.
        pub locality: String,
        /// The filter's choices and limits.
        pub options: Map<String, Value>,
        /// The callers' own certificate, which `ISTIO_MUTUAL` shows; without it that mode is plain text.
        pub identity: Option<Credential>,
        /// The files of Kubernetes' secrets, by the name that `credentialName` has for them.
        pub credentials: BTreeMap<String, Credential>,
        /// Each with listeners of its own. None written: one in namespace `default`, and where there is a Gateway one that serves it.
        pub callers: Vec<Caller>,
    }
}

message! {
    /// A workload that calls, or a gateway.
    pub struct Caller {
        /// Its name, which its listeners begin with: letters, digits and `-`.
        pub name: String,
        /// The namespace it lives in; `default` if empty.
        pub namespace: String,
        /// Its labels, for `sourceLabels` and `workloadSelector`, and of a gateway for the selectors of Gateways.
        pub labels: BTreeMap<String, String>,
        /// Whether it is a gateway: it listens on the ports of the Gateways that select its labels, or of all Gateways if it has none.
        pub gateway: bool,
        /// The IP address it listens on; `127.0.0.1` if empty.
        pub address: String,
        /// The service ports it calls, or the ports of Gateways it serves; all of them if empty.
        pub ports: Vec<CallerPort>,
        /// What is added to ports below 1024, which need privileges: 10000, and 20000 for a gateway.
        pub offset: Option<i64>,
    }

    /// A port that a caller calls.
    pub struct CallerPort {
        /// The service's port.
        pub number: i64,
        /// Where Envoy listens for it; the same number, with the offset, if 0.
        pub listen: i64,
    }

    /// A certificate, by its files.
    pub struct Credential {
        /// The certificate and its chain.
        pub certificate: String,
        /// Its key.
        pub private_key: String,
        /// Whom the other side has to be trusted by.
        pub ca_certificates: String,
    }
}

impl Default for Callers {
    fn default() -> Self {
        Callers {
            domain: "cluster.local".to_owned(),
            admin: "127.0.0.1:15000".to_owned(),
            access_log: "/dev/stdout".to_owned(),
            locality: String::new(),
            options: Map::new(),
            identity: None,
            credentials: BTreeMap::new(),
            callers: Vec::new(),
        }
    }
}

/// Ports below this one need privileges.
const UNPRIVILEGED: u16 = 1024;

impl Callers {
    /// Reads a callers file. What does not fit is a finding and is left out of the result; the rest is read.
    pub fn from_json(json: &[u8]) -> (Callers, Vec<Finding>) {
        let mut callers = Callers::default();
        let json = match Json::read(json) {
            Ok(json) => json,
            Err(error) => return (callers, vec![refused("", format!("is not JSON: {error}"))]),
        };
        let faults = decode(&mut callers, &json, Unknown::Refuse);
        let mut findings: Vec<Finding> = faults
            .iter()
            .map(|fault| refused(&fault.path, fault.kind.to_string()))
            .collect();
        callers.check(&mut findings);
        (callers, findings)
    }

    /// The callers that are meant: those written, or the ones that serve one machine.
    pub(super) fn effective(&self, has_gateways: bool) -> Vec<Caller> {
        if !self.callers.is_empty() {
            return self.callers.clone();
        }
        let named = |name: &str, gateway| Caller {
            name: name.to_owned(),
            gateway,
            ..Caller::default()
        };
        let mut callers = vec![named("default", false)];
        if has_gateways {
            callers.push(named("gateway", true));
        }
        callers
    }

    /// Where the admin interface listens.
    pub(super) fn admin_address(&self) -> Option<(IpAddr, u16)> {
        let address: std::net::SocketAddr = self.admin.parse().ok()?;
        Some((address.ip(), address.port()))
    }

    fn check(&self, findings: &mut Vec<Finding>) {
        if self.admin_address().is_none() {
            let message = format!(
                "`{}` is no IP address with a port; write one as 127.0.0.1:15000",
                self.admin
            );
            findings.push(refused("admin", message));
        }
        for (index, caller) in self.callers.iter().enumerate() {
            let at = |field: &str| format!("callers[{index}].{field}");
            if !is_label(&caller.name) {
                let message = format!(
                    "`{}` has to be letters, digits and `-`: listeners are named after it",
                    caller.name
                );
                findings.push(refused(&at("name"), message));
            }
            if self.callers.iter().take(index).any(|other| other.name == caller.name) {
                findings.push(refused(
                    &at("name"),
                    format!("`{}` is another caller's name", caller.name),
                ));
            }
            if caller.address().is_none() {
                let message = format!("`{}` is no IP address", caller.address);
                findings.push(refused(&at("address"), message));
            }
            if caller
                .offset
                .is_some_and(|offset| !(0..=i64::from(u16::MAX - UNPRIVILEGED)).contains(&offset))
            {
                findings.push(refused(&at("offset"), "has to lie between 0 and 64511".to_owned()));
            }
            for (index, port) in caller.ports.iter().enumerate() {
                if port_number(port.number).is_none() {
                    let message = "has to be a service's port, 1 to 65535".to_owned();
                    findings.push(refused(&at(&format!("ports[{index}].number")), message));
                }
                if port.listen != 0 && port_number(port.listen).is_none() {
                    let message = "has to be a port, 1 to 65535".to_owned();
                    findings.push(refused(&at(&format!("ports[{index}].listen")), message));
                }
            }
        }
    }
}

impl Caller {
    /// Who it is to the filter, less gateways and port.
    pub(super) fn proxy(&self, domain: &str) -> Proxy {
        Proxy {
            namespace: self.namespace().to_owned(),
            domain: domain.to_owned(),
            labels: self.labels.clone(),
            ..Proxy::default()
        }
    }

    pub(super) fn namespace(&self) -> &str {
        if self.namespace.is_empty() {
            "default"
        } else {
            &self.namespace
        }
    }

    pub(super) fn address(&self) -> Option<IpAddr> {
        if self.address.is_empty() {
            return Some(IpAddr::from([127, 0, 0, 1]));
        }
        self.address.parse().ok()
    }

    /// Where Envoy listens for a service's port, if the caller calls it.
    pub(super) fn listen(&self, port: u16) -> Option<u16> {
        let written = self.ports.iter().find(|written| written.number == i64::from(port));
        if !self.ports.is_empty() && written.is_none() {
            return None;
        }
        let default = if self.gateway { 20_000 } else { 10_000 };
        let offset = self
            .offset
            .and_then(|offset| u16::try_from(offset).ok())
            .unwrap_or(default);
        let own = written.and_then(|written| port_number(written.listen));
        Some(own.unwrap_or(if port < UNPRIVILEGED { port + offset } else { port }))
    }
}

fn port_number(number: i64) -> Option<u16> {
    u16::try_from(number).ok().filter(|number| *number > 0)
}

fn is_label(name: &str) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    edge(bytes.first()) && edge(bytes.last()) && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
}

/// A finding about the callers file.
pub(super) fn refused(path: &str, message: String) -> Finding {
    Finding {
        severity: Severity::Error,
        sort: Sort::Validation,
        code: "",
        resource: None,
        object: ObjectRef::default(),
        path: path.to_owned(),
        message,
        related: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(json: &str) -> Vec<String> {
        let (_, findings) = Callers::from_json(json.as_bytes());
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_fault_of_a_callers_file_is_named() {
        let json = r#"{"admin": "localhost", "caler": [], "callers": [{"name": "a.b", "ports": [{"number": 0}]},
            {"name": "web", "address": "here"}, {"name": "web", "offset": 70000, "ports": [{"number": 1, "listen": 70000}]}]}"#;
        assert_eq!(
            findings(json),
            [
                "Error caler: there is no such field; did you mean `callers`?",
                "Error admin: `localhost` is no IP address with a port; write one as 127.0.0.1:15000",
                "Error callers[0].name: `a.b` has to be letters, digits and `-`: listeners are named after it",
                "Error callers[0].ports[0].number: has to be a service's port, 1 to 65535",
                "Error callers[1].address: `here` is no IP address",
                "Error callers[2].name: `web` is another caller's name",
                "Error callers[2].offset: has to lie between 0 and 64511",
                "Error callers[2].ports[0].listen: has to be a port, 1 to 65535",
            ]
        );
        assert!(findings("{}").is_empty());
    }

    #[test]
    fn ports_that_need_privileges_are_moved() {
        let mut caller = Caller::default();
        assert_eq!((caller.listen(80), caller.listen(9080)), (Some(10080), Some(9080)));
        caller.offset = Some(30000);
        caller.ports = vec![
            CallerPort { number: 80, listen: 0 },
            CallerPort {
                number: 443,
                listen: 8443,
            },
        ];
        assert_eq!(
            (caller.listen(80), caller.listen(443), caller.listen(9080)),
            (Some(30080), Some(8443), None)
        );
    }

    #[test]
    fn without_callers_one_machine_is_served() {
        let names = |has_gateways| -> Vec<String> {
            let callers = Callers::default().effective(has_gateways);
            callers.into_iter().map(|caller| caller.name).collect()
        };
        assert_eq!(names(false), ["default"]);
        assert_eq!(names(true), ["default", "gateway"]);
    }
}
