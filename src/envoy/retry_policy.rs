//! `RetryPolicy` of the overlay routes and of Istio's default route.

use serde_json::{Value, json};

use super::{set, type_url};
use crate::retry::{DEFAULT_ATTEMPTS, DEFAULT_RETRY_ON, Variant};

/// Istio's default policy.
pub fn default_policy() -> Value {
    let mut policy = variant_policy(&Variant::default());
    set(&mut policy, "retry_on", DEFAULT_RETRY_ON);
    set(&mut policy, "num_retries", DEFAULT_ATTEMPTS);
    policy
}

/// What of a rule's policy no header can say; the conditions come with the request.
pub fn variant_policy(variant: &Variant) -> Value {
    let mut policy = json!({"host_selection_retry_max_attempts": "5"});
    if variant.previous_hosts {
        set(
            &mut policy,
            "retry_host_predicate",
            json!([{
                "name": "envoy.retry_host_predicates.previous_hosts",
                "typed_config": {"@type": type_url("envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate")},
            }]),
        );
    }
    if variant.remote_localities {
        set(
            &mut policy,
            "retry_priority",
            json!({
                "name": "envoy.retry_priorities.previous_priorities",
                "typed_config": {
                    "@type": type_url("envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig"),
                    "update_frequency": 2,
                },
            }),
        );
    }
    if let Some(base) = variant.base_interval {
        set(
            &mut policy,
            "retry_back_off",
            json!({"base_interval": format!("{}s", base.as_secs_f64())}),
        );
    }
    policy
}
