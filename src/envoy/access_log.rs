//! The access log of every listener: one JSON object a line.

use serde_json::{Value, json};

use super::type_url;

/// Logs to Envoy's standard output, or to a file. `switchyard_fault` tells an injected answer from an upstream's.
pub fn access_log(path: Option<&str>) -> Value {
    let format = json!({"json_format": {
        "time": "%START_TIME%",
        "method": "%REQ(:METHOD)%",
        "authority": "%REQ(X-ENVOY-ORIGINAL-HOST?:AUTHORITY)%",
        "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
        "protocol": "%PROTOCOL%",
        "status": "%RESPONSE_CODE%",
        "flags": "%RESPONSE_FLAGS%",
        "details": "%RESPONSE_CODE_DETAILS%",
        "duration_ms": "%DURATION%",
        "bytes_received": "%BYTES_RECEIVED%",
        "bytes_sent": "%BYTES_SENT%",
        "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
        "cluster": "%UPSTREAM_CLUSTER_RAW%",
        "upstream": "%UPSTREAM_HOST%",
        "request_id": "%REQ(X-REQUEST-ID)%",
        "switchyard_route": "%FILTER_STATE(wasm.switchyard_route:PLAIN)%",
        "switchyard_subset": "%FILTER_STATE(wasm.switchyard_subset:PLAIN)%",
        "switchyard_fault": "%FILTER_STATE(wasm.switchyard_fault:PLAIN)%",
        "switchyard_mirror": "%FILTER_STATE(wasm.switchyard_mirror:PLAIN)%",
    }});
    match path {
        Some(path) => json!({
            "name": "envoy.access_loggers.file",
            "typed_config": {
                "@type": type_url("envoy.extensions.access_loggers.file.v3.FileAccessLog"), "path": path, "log_format": format,
            },
        }),
        None => json!({
            "name": "envoy.access_loggers.stdout",
            "typed_config": {"@type": type_url("envoy.extensions.access_loggers.stream.v3.StdoutAccessLog"), "log_format": format},
        }),
    }
}
