//! `envoy.extensions.filters.http.wasm.v3.Wasm`: the filter and its configuration.

use std::path::Path;

use serde_json::{Value, json};

use super::message::any;

/// The extension's type.
pub(super) const NAME: &str = "envoy.extensions.filters.http.wasm.v3.Wasm";
/// One virtual machine a worker serves every listener.
const VM: &str = "switchyard";

/// The filter for one listener. A worker whose filter has died gets a new one.
pub(super) fn wasm(path: &Path, plugin: &str) -> Value {
    any(
        NAME,
        json!({"config": {
            "name": "switchyard",
            "failure_policy": "FAIL_RELOAD",
            "vm_config": {
                "vm_id": VM,
                "runtime": "envoy.wasm.runtime.v8",
                "code": {"local": {"filename": path}},
            },
            "configuration": any("google.protobuf.StringValue", json!({"value": plugin})),
        }}),
    )
}
