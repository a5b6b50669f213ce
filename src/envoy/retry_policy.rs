//! `envoy.config.route.v3.RetryPolicy`.
//!
//! `ConvertPolicy`, istio `pilot/pkg/networking/core/route/retry/retry.go`.

use serde_json::{Value, json};

use super::message::{extension, message, seconds};
use crate::action::retry::{DEFAULT_ATTEMPTS, DEFAULT_RETRY_ON, Variant};

/// How often another host is asked for in place of one that failed.
const HOST_SELECTION_ATTEMPTS: &str = "5";

/// Istio's policy where a rule says nothing.
pub(super) fn default(previous_hosts: bool) -> Value {
    message(json!({
        "retry_on": DEFAULT_RETRY_ON,
        "num_retries": DEFAULT_ATTEMPTS,
        "retry_host_predicate": previous_hosts.then(|| json!([self::previous_hosts()])),
        "host_selection_retry_max_attempts": HOST_SELECTION_ATTEMPTS,
    }))
}

/// What a policy has that no header can ask for; on what to retry and how often, the filter asks for by headers.
pub(super) fn variant(variant: &Variant) -> Value {
    let priorities = || {
        let name = "envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig";
        extension(
            "envoy.retry_priorities.previous_priorities",
            name,
            json!({"update_frequency": 2}),
        )
    };
    message(json!({
        "retry_back_off": variant.base_interval.map(|base| json!({"base_interval": seconds(base)})),
        "retry_host_predicate": variant.previous_hosts.then(|| json!([previous_hosts()])),
        "retry_priority": variant.remote_localities.then(priorities),
        "host_selection_retry_max_attempts": HOST_SELECTION_ATTEMPTS,
    }))
}

fn previous_hosts() -> Value {
    let name = "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate";
    extension("envoy.retry_host_predicates.previous_hosts", name, json!({}))
}
