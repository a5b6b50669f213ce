//! The load balancing fields of `envoy.config.cluster.v3.Cluster`.
//!
//! `applyLoadBalancer`, istio `pilot/pkg/networking/core/cluster_traffic_policy.go`.

use serde_json::{Value, json};

use super::message::{double, message, positive, written};
use crate::config::destination_rule::{ConsistentHashLB, LoadBalancerSettings};

/// The smallest ring where a rule gives no size.
const RING_SIZE: i64 = 1024;

/// The policy and its settings. What a rule does not say, or cannot mean here (`PASSTHROUGH`), is the endpoint with the fewest requests.
pub(super) fn load_balancer(settings: Option<&LoadBalancerSettings>) -> Value {
    if let Some(hash) = settings.and_then(|settings| settings.consistent_hash.as_ref()) {
        return consistent_hash(hash);
    }
    let slow_start = settings
        .and_then(slow_start)
        .map(|config| json!({"slow_start_config": config}));
    message(match settings.and_then(|settings| settings.simple.as_deref()) {
        Some("RANDOM") => json!({"lb_policy": "RANDOM"}),
        Some("ROUND_ROBIN") => json!({"lb_policy": "ROUND_ROBIN", "round_robin_lb_config": slow_start}),
        _ => json!({"lb_policy": "LEAST_REQUEST", "least_request_lb_config": slow_start}),
    })
}

fn consistent_hash(hash: &ConsistentHashLB) -> Value {
    let ring = |size: Option<i64>| {
        let config = size.map(|size| json!({"minimum_ring_size": size.to_string()}));
        json!({"lb_policy": "RING_HASH", "ring_hash_lb_config": config})
    };
    message(match (&hash.maglev, &hash.ring_hash) {
        (Some(maglev), _) => {
            let size = maglev.table_size.and_then(positive);
            let config = size.map(|size| json!({"table_size": size.to_string()}));
            json!({"lb_policy": "MAGLEV", "maglev_lb_config": config})
        }
        (None, Some(settings)) => ring(settings.minimum_ring_size.and_then(positive)),
        (None, None) => ring(Some(hash.minimum_ring_size.and_then(positive).unwrap_or(RING_SIZE))),
    })
}

fn slow_start(settings: &LoadBalancerSettings) -> Option<Value> {
    let Some(warmup) = &settings.warmup else {
        let window = written(settings.warmup_duration_secs.as_deref())?;
        return Some(json!({"slow_start_window": window}));
    };
    Some(json!({
        "slow_start_window": written(warmup.duration.as_deref()),
        // Envoy asks for a key; under this one, istiod's, nobody changes it at run time.
        "aggression": {"default_value": double(warmup.aggression.unwrap_or(1.0)), "runtime_key": "("},
        "min_weight_percent": {"value": double(warmup.minimum_percent.unwrap_or(10.0))},
    }))
}
