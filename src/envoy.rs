//! Envoy's configuration out of resources, and of who calls.
//!
//! ```text
//! Callers ──┬─▶ Listener ─▶ RouteConfiguration (overlay routes, Istio's default routes)     one for each caller and service port
//! Config  ──┤      └──────▶ the filter's configuration
//!           └─▶ Cluster ──▶ ClusterLoadAssignment                                            one for each service port and subset
//! ```
//!
//! Every value is a message of Envoy's API in JSON, with its `@type`.

use std::collections::BTreeMap;

use serde_json::Value;

mod access_log;
mod bootstrap;
mod callers;
mod filter;
mod listener;
mod retry_policy;
mod route_configuration;
mod site;
mod stats_config;

pub use bootstrap::Bootstrap;
pub use callers::{Caller, Callers, InvalidCallers};
pub use filter::Filter;
pub use listener::{FilterSource, Listener, Routes};
pub use site::{Outbound, Site};
pub use stats_config::alt_stat_name;

/// Messages of one kind by name.
pub type Resources = BTreeMap<String, Value>;

/// `type.googleapis.com/` before a message's full name.
fn type_url(message: &str) -> String {
    format!("type.googleapis.com/{message}")
}

/// Gives a message a field more.
fn set(message: &mut Value, field: &str, value: impl Into<Value>) {
    if let Some(fields) = message.as_object_mut() {
        fields.insert(field.to_owned(), value.into());
    }
}
