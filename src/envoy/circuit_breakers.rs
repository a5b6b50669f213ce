//! `envoy.config.cluster.v3.CircuitBreakers` out of `connectionPool` and `retryBudget`.
//!
//! `applyConnectionPool`, istio `pilot/pkg/networking/core/cluster_traffic_policy.go`.

use serde_json::{Value, json};

use super::message::{double, message, positive};
use crate::destination_rule::Policy;

/// As good as no limit: istiod writes it wherever a rule says nothing, for Envoy's own 1024 connections and 3 retries are too few.
const NO_LIMIT: i64 = u32::MAX as i64;

/// The limits of a cluster.
pub(super) fn circuit_breakers(policy: &Policy) -> Value {
    let pool = policy.connection_pool;
    let tcp = pool.and_then(|pool| pool.tcp.as_ref());
    let http = pool.and_then(|pool| pool.http.as_ref());
    let limit = |number: Option<i64>| number.and_then(positive).unwrap_or(NO_LIMIT);
    let budget = policy.retry_budget.map(|budget| {
        json!({
            "budget_percent": {"value": double(budget.percent.unwrap_or(20.0))},
            "min_retry_concurrency": budget.min_retry_concurrency.and_then(positive).unwrap_or(3),
        })
    });
    message(json!({"thresholds": [{
        "max_connections": limit(tcp.map(|tcp| tcp.max_connections)),
        "max_pending_requests": limit(http.map(|http| http.http1_max_pending_requests)),
        "max_requests": limit(http.map(|http| http.http2_max_requests)),
        "max_retries": limit(http.map(|http| http.max_retries)),
        "retry_budget": budget,
    }]}))
}
