//! What was written: the plugin's configuration and the Kubernetes objects in it.
//!
//! ```json
//! { "proxy": {"namespace": "default", "port": 9080}, "options": {}, "resources": [{"kind": "VirtualService", ...}] }
//! ```

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::finding::{Finding, ObjectRef, Severity, Sort};
pub(crate) use decode::nearest;
use decode::{FaultKind, Unknown, decode};
pub use object::{DECIDING_KINDS, KINDS, Object, ObjectMeta, Resources};
pub use plugin::{Options, Proxy};

pub(crate) mod decode;
pub mod destination_rule;
pub mod gateway;
pub mod kubernetes;
pub mod layer4;
mod object;
mod plugin;
pub mod service_entry;
pub mod virtual_service;

/// Gives each struct what every message has: a default for every field, and JSON's names for the fields.
macro_rules! message {
    ($($(#[$meta:meta])* pub struct $name:ident { $($fields:tt)* })*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq, serde::Deserialize)]
        #[serde(default, rename_all = "camelCase")]
        pub struct $name { $($fields)* }
    )*};
}
use message;

/// The whole of a plugin's configuration.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    /// Who this proxy is.
    pub proxy: Proxy,
    /// The filter's limits and choices.
    pub options: Options,
    /// The objects, by kind.
    pub resources: Resources,
    /// The number under which [`crate::metric::CONFIG_IN_USE`] counts this configuration; by default it does not.
    pub generation: Option<u32>,
}

impl Config {
    /// Reads a plugin's JSON. What does not fit is a finding and is left out of the result; the rest is read.
    pub fn from_json(json: &[u8]) -> (Config, Vec<Finding>) {
        let mut config = Config::default();
        let mut findings = Vec::new();
        let members = std::str::from_utf8(json)
            .map_err(|error| error.to_string())
            .and_then(|text| members(text).map_err(|error| error.to_string()));
        match members {
            Ok(members) => members
                .iter()
                .for_each(|(name, value)| config.read(name, value, &mut findings)),
            Err(error) => findings.push(own("", format!("the configuration has to be a JSON object: {error}"))),
        }
        (config, findings)
    }

    fn read(&mut self, name: &str, value: &RawValue, findings: &mut Vec<Finding>) {
        let mut faults = Vec::new();
        match name {
            "proxy" => self.proxy = decode(value.get(), Unknown::Refuse, &mut faults),
            "options" => self.options = decode(value.get(), Unknown::Refuse, &mut faults),
            "generation" => self.generation = decode(value.get(), Unknown::Refuse, &mut faults),
            "resources" => match serde_json::from_str::<Vec<&RawValue>>(value.get()) {
                Ok(list) => list.iter().for_each(|json| self.resources.push(json.get(), findings)),
                Err(_) => findings.push(own(name, "has to be a list of Kubernetes objects".to_owned())),
            },
            _ => {
                let nearest = nearest(name, &["proxy", "options", "resources", "generation"]);
                findings.push(own(name, FaultKind::UnknownField { nearest }.to_string()));
            }
        }
        findings.extend(
            faults
                .iter()
                .map(|fault| own(&fault.below(name), fault.kind.to_string())),
        );
    }
}

/// A JSON object's members, none of them read yet.
fn members(json: &str) -> serde_json::Result<BTreeMap<String, &RawValue>> {
    serde_json::from_str(json)
}

/// A finding about the plugin's own fields.
fn own(path: &str, message: String) -> Finding {
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
mod tests;
