//! The access log: Istio's fields, and what the filter did.

use serde_json::{Value, json};

use super::message::extension;

/// A line of JSON for each request, with the names that Istio's own log has.
///
/// An injected 500 has `switchyard_fault`; a real one has none. The path and the host are the client's, whatever was rewritten. Where
/// requests may ask for an explanation, the line of one that did has it too.
pub(super) fn access_log(path: &str, explains: bool) -> Option<Value> {
    let state = |name: &str| format!("%FILTER_STATE(wasm.switchyard_{name}:PLAIN)%");
    let format = json!({
        "start_time": "%START_TIME%",
        "method": "%REQ(:METHOD)%",
        "authority": "%REQ(X-ENVOY-ORIGINAL-HOST?:AUTHORITY)%",
        "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
        "protocol": "%PROTOCOL%",
        "response_code": "%RESPONSE_CODE%",
        "response_flags": "%RESPONSE_FLAGS%",
        "response_code_details": "%RESPONSE_CODE_DETAILS%",
        "connection_termination_details": "%CONNECTION_TERMINATION_DETAILS%",
        "upstream_transport_failure_reason": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
        "grpc_status": "%GRPC_STATUS%",
        "bytes_received": "%BYTES_RECEIVED%",
        "bytes_sent": "%BYTES_SENT%",
        "duration": "%DURATION%",
        "upstream_service_time": "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
        "upstream_request_attempt_count": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
        "upstream_cluster": "%UPSTREAM_CLUSTER_RAW%",
        "upstream_host": "%UPSTREAM_HOST%",
        "route_name": "%ROUTE_NAME%",
        "downstream_remote_address": "%DOWNSTREAM_REMOTE_ADDRESS%",
        "downstream_local_address": "%DOWNSTREAM_LOCAL_ADDRESS%",
        "requested_server_name": "%REQUESTED_SERVER_NAME%",
        "x_forwarded_for": "%REQ(X-FORWARDED-FOR)%",
        "user_agent": "%REQ(USER-AGENT)%",
        "request_id": "%REQ(X-REQUEST-ID)%",
        "switchyard_route": state("route"),
        "switchyard_subset": state("subset"),
        "switchyard_fault": state("fault"),
        "switchyard_mirror": state("mirror"),
        "switchyard_explanation": explains.then(|| state("explanation")),
    });
    let name = "envoy.extensions.access_loggers.file.v3.FileAccessLog";
    let config = json!({"path": path, "log_format": {"json_format": format}});
    (!path.is_empty()).then(|| extension("envoy.access_loggers.file", name, config))
}
