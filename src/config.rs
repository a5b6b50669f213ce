//! What was written: the plugin's configuration and the Kubernetes objects in it.
//!
//! ```json
//! { "proxy": {"namespace": "default", "port": 9080}, "options": {}, "resources": [{"kind": "VirtualService", ...}] }
//! ```

use serde::de::{Error, IgnoredAny};

use crate::finding::{Finding, ObjectRef, Severity, Sort};
pub use decode::Unread;
pub(crate) use decode::nearest;
use decode::{Decode, Fault, Json, Unknown, decode, strays};
pub use object::{Object, ObjectMeta, oldest_first};
pub use plugin::{Options, Proxy};
pub(crate) use resources::read as read_object;
pub use resources::{DECIDING_KINDS, KINDS, Resources};

mod deciding;
pub(crate) mod decode;
pub mod destination_rule;
pub mod gateway;
pub mod kubernetes;
pub mod layer4;
mod object;
mod plugin;
mod resources;
#[cfg(feature = "cli")]
pub mod schema;
pub mod service_entry;
pub mod virtual_service;

/// Gives each struct what every message has: a default for every field unless it has its own, reading, and a schema. A field's name in JSON
/// follows from its own, or stands behind its type; what narrows its type down stands behind `as`.
macro_rules! message {
    (@each $derived:tt $(
        $(#[doc = $about:literal])*
        pub struct $name:ident {
            $($(#[doc = $doc:literal])* pub $field:ident: $type:ty $(= $json:literal)? $(as $narrow:expr)?,)*
        }
    )*) => {$(
        $(#[doc = $about])*
        #[derive $derived]
        pub struct $name { $($(#[doc = $doc])* pub $field: $type,)* }

        $crate::config::decode::fields!($name: $($field $(= $json)?),*);

        #[cfg(feature = "cli")]
        impl $crate::config::schema::Describe for $name {
            fn describe(to: &mut $crate::config::schema::Definitions) -> serde_json::Value {
                to.message(std::any::type_name::<Self>(), concat!($($about),*), |_to| vec![$($crate::config::schema::Field {
                    name: $crate::config::decode::fields!(@name $field $($json)?).trim_start_matches("r#"),
                    about: concat!($($doc),*),
                    schema: <$type as $crate::config::schema::Describe>::describe(_to),
                    narrow: $crate::config::message!(@narrow $($narrow)?),
                }),*])
            }
        }
    )*};
    (@narrow $narrow:expr) => { Some(&$narrow) };
    (@narrow) => { None };
    (own default: $($structs:tt)*) => {
        $crate::config::message!(@each (Debug, Clone, PartialEq) $($structs)*);
    };
    ($($structs:tt)*) => {
        $crate::config::message!(@each (Debug, Clone, Default, PartialEq) $($structs)*);
    };
}
pub(crate) use message;

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
        match Config::parse(json, Config::skim(json, &mut decode::length), false) {
            Ok(json) => {
                let (mut config, mut findings) = Config::without_resources(&json);
                if let Some(resources) = json.get("resources").and_then(Json::entries) {
                    resources
                        .iter()
                        .for_each(|json| config.resources.push(json, &mut findings));
                }
                (config, findings)
            }
            Err(findings) => (Config::default(), findings),
        }
    }

    /// A plugin's JSON with its resources raw: thousands of them as a tree would take many times the text's memory. For `length` see
    /// [`Json::skim_with`].
    pub(crate) fn skim<'t>(json: &'t [u8], length: &mut dyn FnMut(&'t str) -> usize) -> serde_json::Result<Json<'t>> {
        let text = str::from_utf8(json).map_err(serde_json::Error::custom);
        text.and_then(|text| Json::skim_with(text, 2, length))
    }

    /// What was skimmed, if it is an object. That it was JSON is checked unless it `is_judged`.
    pub(crate) fn parse<'t>(
        json: &[u8],
        skimmed: serde_json::Result<Json<'t>>,
        is_judged: bool,
    ) -> Result<Json<'t>, Vec<Finding>> {
        let checked = if is_judged {
            Ok(IgnoredAny)
        } else {
            serde_json::from_slice(json)
        };
        match checked.and(skimmed) {
            Ok(json @ Json::Object(_)) => Ok(json),
            Ok(other) => Err(vec![own("", format!("has to be an object, and is {}", other.name()))]),
            Err(error) => Err(vec![own("", format!("is not JSON: {error}"))]),
        }
    }

    /// All but the resources, of JSON that was parsed.
    pub(crate) fn without_resources(json: &Json) -> (Config, Vec<Finding>) {
        let mut config = Config::default();
        let mut faults = strays(json, &["proxy", "options", "resources", "generation"]);
        for (name, field) in [
            ("proxy", &mut config.proxy as &mut dyn Decode),
            ("options", &mut config.options),
            ("generation", &mut config.generation),
        ] {
            let found = json.get(name).map(|value| decode(field, value, Unknown::Refuse));
            faults.extend(found.into_iter().flatten().map(|fault| fault.below(name)));
        }
        let own = |fault: &Fault| own(&fault.path, fault.kind.to_string());
        let mut findings: Vec<Finding> = faults.iter().map(own).collect();
        if json.get("resources").is_some_and(|list| list.entries().is_none()) {
            findings.push(self::own(
                "resources",
                "has to be a list of Kubernetes objects".to_owned(),
            ));
        }
        (config, findings)
    }
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
