//! `retries`.

use super::{At, value};
use crate::action::retry::is_known_status;
use crate::config::virtual_service::HTTPRetry;

/// What Envoy reads from `x-envoy-retry-on` and `x-envoy-retry-grpc-on`.
const CONDITIONS: [&str; 16] = [
    "5xx",
    "gateway-error",
    "reset",
    "reset-before-request",
    "connect-failure",
    "retriable-4xx",
    "refused-stream",
    "retriable-status-codes",
    "retriable-headers",
    "envoy-ratelimited",
    "http3-post-connect-failure",
    "cancelled",
    "deadline-exceeded",
    "internal",
    "resource-exhausted",
    "unavailable",
];

pub(super) fn retries(at: &At, retries: &HTTPRetry) {
    value::not_negative(&at.field("attempts"), retries.attempts);
    let has_policy =
        retries.per_try_timeout.is_some() || !retries.retry_on.is_empty() || retries.retry_remote_localities.is_some();
    if retries.attempts == 0 && has_policy {
        at.error("has a policy for no attempts at all; write attempts, or attempts: 0 alone for no retries");
    }
    value::duration(&at.field("perTryTimeout"), retries.per_try_timeout.as_ref());
    value::duration(&at.field("backoff"), retries.backoff.as_ref());
    if retries.retry_on.is_empty() {
        return;
    }
    let is_known = |condition: &&str| CONDITIONS.contains(condition) || condition.parse().is_ok_and(is_known_status);
    for condition in retries.retry_on.split(',').filter(|condition| !is_known(condition)) {
        at.field("retryOn").error(format!(
            "`{condition}` is neither a condition of Envoy's nor an HTTP status; write them with commas and no blanks"
        ));
    }
}
