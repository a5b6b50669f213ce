//! The filter as Envoy loads it.

use std::path::Path;

use serde_json::{Value, json};

use super::type_url;

/// `Wasm`, the message of the HTTP filter.
pub const WASM: &str = "envoy.extensions.filters.http.wasm.v3.Wasm";

/// The filter, and where its code is.
#[derive(Debug, Clone, Copy)]
pub struct Filter<'a> {
    /// `switchyard.wasm`, as Envoy sees it.
    pub wasm: &'a Path,
}

impl Filter<'_> {
    /// The filter's message with a configuration of its own. All configurations share one VM a worker; one that dies is made anew.
    pub fn wasm(&self, plugin_json: &str) -> Value {
        json!({
            "@type": type_url(WASM),
            "config": {
                "name": "switchyard",
                "root_id": "switchyard",
                "failure_policy": "FAIL_RELOAD",
                "vm_config": {
                    "vm_id": "switchyard",
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": {"local": {"filename": self.wasm}},
                },
                "configuration": {"@type": type_url("google.protobuf.StringValue"), "value": plugin_json},
            },
        })
    }

    /// The filter as a resource that listeners refer to by name.
    pub fn extension(&self, name: &str, plugin_json: &str) -> Value {
        json!({
            "@type": type_url("envoy.config.core.v3.TypedExtensionConfig"),
            "name": name,
            "typed_config": self.wasm(plugin_json),
        })
    }
}
