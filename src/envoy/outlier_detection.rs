//! `envoy.config.cluster.v3.OutlierDetection`, and the share of healthy endpoints below which Envoy would use all of them.
//!
//! `applyOutlierDetection`, istio `pilot/pkg/networking/core/cluster_traffic_policy.go`.

use serde_json::{Value, json};

use super::message::{message, positive, written};
use crate::config::destination_rule::OutlierDetection;

/// When endpoints are left out. The numbers that a rule gives are always enforced, and success rates never.
///
/// `consecutiveErrors` counts as the gateway errors it meant when it was in use; istiod passes over it.
pub(super) fn outlier_detection(settings: &OutlierDetection) -> Value {
    let enforced = |errors: i64| if errors > 0 { 100 } else { 0 };
    let errors = settings.consecutive_5xx_errors;
    let gateway_errors = settings
        .consecutive_gateway_errors
        .or_else(|| positive(settings.consecutive_errors));
    let split = settings.split_external_local_origin_errors;
    let local_failures = settings
        .consecutive_local_origin_failures
        .and_then(positive)
        .filter(|_| split);
    message(json!({
        "consecutive_5xx": errors,
        "enforcing_consecutive_5xx": errors.map(enforced),
        "consecutive_gateway_failure": gateway_errors,
        "enforcing_consecutive_gateway_failure": gateway_errors.map(enforced),
        "split_external_local_origin_errors": split.then_some(true),
        "consecutive_local_origin_failure": local_failures,
        "enforcing_consecutive_local_origin_failure": local_failures.map(enforced),
        "enforcing_local_origin_success_rate": split.then_some(0),
        "interval": written(settings.interval.as_deref()),
        "base_ejection_time": written(settings.base_ejection_time.as_deref()),
        "max_ejection_percent": positive(settings.max_ejection_percent),
        "enforcing_success_rate": 0,
    }))
}

/// Istio turns Envoy's panic off: with few endpoints half of them are soon gone, and a request to one that fails helps nobody.
pub(super) fn healthy_panic_threshold(settings: Option<&OutlierDetection>) -> Value {
    let percent = settings.and_then(|settings| positive(settings.min_health_percent));
    message(json!({ "value": percent }))
}

/// The only statuses that count as errors, where a rule names them.
pub(super) fn error_matcher(settings: Option<&OutlierDetection>) -> Option<Value> {
    let codes = &settings?.outlier_detection_http_error_codes;
    let is = |code: &i64| json!({"http_response_headers_match": {"headers": [{"name": ":status", "string_match": {"exact": code.to_string()}}]}});
    match codes.as_slice() {
        [] => None,
        [code] => Some(is(code)),
        codes => Some(json!({"or_match": {"rules": codes.iter().map(is).collect::<Vec<_>>()}})),
    }
}
