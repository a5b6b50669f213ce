//! `envoy.extensions.filters.http.wasm.v3.Wasm`: the filter and its configuration.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::message::any;
use crate::plugin::callbacks::Callbacks;

/// The extension's type.
pub(super) const NAME: &str = "envoy.extensions.filters.http.wasm.v3.Wasm";
/// One virtual machine a worker serves every listener with the same capabilities.
const VM: &str = "switchyard";

/// What every configuration needs. Without `proxy_on_delete` the SDK would keep each request's context for ever.
const CALLBACKS: [&str; 5] = [
    "proxy_on_context_create",
    "proxy_on_configure",
    "proxy_on_request_headers",
    "proxy_on_delete",
    "proxy_on_tick",
];
const RESPONSES: [&str; 1] = ["proxy_on_response_headers"];
const MIRRORS: [&str; 5] = [
    "proxy_on_request_body",
    "proxy_on_request_trailers",
    "proxy_on_http_call_response",
    "proxy_on_queue_ready",
    "proxy_on_done",
];
/// All that the filter calls. A call that is not listed fails, and the SDK does not survive that.
const CALLS: [&str; 28] = [
    "proxy_add_header_map_value",
    "proxy_call_foreign_function",
    "proxy_continue_stream",
    "proxy_define_metric",
    "proxy_done",
    "proxy_get_buffer_bytes",
    "proxy_get_current_time_nanoseconds",
    "proxy_get_header_map_pairs",
    "proxy_get_header_map_value",
    "proxy_get_property",
    "proxy_get_shared_data",
    "proxy_get_status",
    "proxy_http_call",
    "proxy_increment_metric",
    "proxy_log",
    "proxy_remove_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_send_local_response",
    "proxy_set_effective_context",
    "proxy_set_property",
    "proxy_set_shared_data",
    "proxy_set_tick_period_milliseconds",
    "clock_time_get",
    "environ_get",
    "environ_sizes_get",
    "fd_write",
    "proc_exit",
    "random_get",
];

/// The filter for one listener. A worker whose filter has died gets a new one; a callback that the configuration has no use for is not
/// called at all.
pub(super) fn wasm(path: &Path, plugin: &str, callbacks: Callbacks) -> Value {
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
            "capability_restriction_config": {"allowed_capabilities": allowed(callbacks)},
            "configuration": any("google.protobuf.StringValue", json!({"value": plugin})),
        }}),
    )
}

/// Whoever sends copies has all of them: another list is another virtual machine, and copies under way end with theirs.
fn allowed(callbacks: Callbacks) -> Map<String, Value> {
    let all = callbacks.mirrors;
    let optional = [
        (all || callbacks.responses, RESPONSES.as_slice()),
        (all, MIRRORS.as_slice()),
    ];
    let wanted = optional
        .iter()
        .filter(|(wanted, _)| *wanted)
        .flat_map(|(_, names)| *names);
    let names = CALLBACKS.iter().chain(wanted).chain(&CALLS);
    names.map(|name| ((*name).to_owned(), json!({}))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_of_the_filter_is_allowed() {
        let imports = include_str!("../../filters/switchyard/src/host/imports.rs");
        let names: Vec<&str> = imports
            .split("fn ")
            .filter(|text| text.starts_with("proxy_"))
            .filter_map(|text| text.split('(').next())
            .collect();
        assert!(names.len() > 10);
        let missing: Vec<_> = names.iter().filter(|name| !CALLS.contains(name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn with_mirrors_every_list_is_the_same() {
        let with = |responses| {
            allowed(Callbacks {
                responses,
                mirrors: true,
            })
        };
        assert_eq!(with(false), with(true));
    }

    #[test]
    fn a_callback_is_allowed_where_a_configuration_has_use_for_it() {
        let mirrors = Callbacks {
            mirrors: true,
            ..Callbacks::default()
        };
        let of = |callbacks| allowed(callbacks).contains_key("proxy_on_request_body");
        assert!(of(mirrors) && !of(Callbacks::default()));
        assert!(allowed(Callbacks::default()).contains_key("proxy_on_delete"));
    }
}
