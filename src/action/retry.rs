//! Retries: which part Envoy takes from headers, and which has to stand in a route.

use std::time::Duration;

use crate::config::virtual_service::HTTPRetry;
use crate::duration;

/// Istio's conditions where a rule has none of its own. `retriable-status-codes` comes without any code.
///
/// `DefaultPolicy`, istio `pilot/pkg/networking/core/route/retry/retry.go`.
pub const DEFAULT_RETRY_ON: &str = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes";
/// Istio's number of tries after the first.
pub const DEFAULT_ATTEMPTS: u32 = 2;

const GRPC_CONDITIONS: [&str; 5] = [
    "cancelled",
    "deadline-exceeded",
    "internal",
    "resource-exhausted",
    "unavailable",
];

/// `retries`, compiled: what a request has to carry so that the overlay route retries as istiod's route would.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RetryPolicy {
    /// What no header can say; it names the overlay route.
    pub variant: Variant,
    /// Envoy's own headers, with values.
    pub headers: Vec<(&'static str, String)>,
}

/// The part of a policy that stands in a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Variant {
    /// The base of the back-off; Envoy's 25 ms where there is none.
    pub base_interval: Option<Duration>,
    /// Whether hosts that failed before are avoided.
    pub previous_hosts: bool,
    /// Whether other localities are tried in turn.
    pub remote_localities: bool,
}

impl Default for Variant {
    fn default() -> Self {
        Variant {
            base_interval: None,
            previous_hosts: true,
            remote_localities: false,
        }
    }
}

impl Variant {
    /// The value of [`crate::reserved::RETRY`] that picks the variant: it says what it is, so the same variant has the same name in every
    /// configuration, and routes may change before or after the filter does.
    pub fn key(&self) -> String {
        let mut key = "custom".to_owned();
        if let Some(base) = self.base_interval {
            key.push_str(&format!(" backoff={}ms", base.as_millis()));
        }
        if !self.previous_hosts {
            key.push_str(" same-hosts");
        }
        if self.remote_localities {
            key.push_str(" remote-localities");
        }
        key
    }
}

impl RetryPolicy {
    /// Compiles `retries`. `None` stands for Istio's default policy, which the overlay route has without being asked.
    ///
    /// With a consistent hash hosts that failed are not avoided, unless the rule says so.
    pub fn new(retries: Option<&HTTPRetry>, consistent_hash: bool) -> Option<Self> {
        let retries = match retries {
            Some(retries) => retries,
            None if consistent_hash => &HTTPRetry {
                attempts: i64::from(DEFAULT_ATTEMPTS),
                ..HTTPRetry::default()
            },
            None => return None,
        };
        let variant = Variant {
            base_interval: retries.backoff.as_deref().and_then(|text| duration::parse(text).ok()),
            previous_hosts: retries.retry_ignore_previous_hosts.unwrap_or(!consistent_hash),
            remote_localities: retries.retry_remote_localities.unwrap_or_default(),
        };
        if retries.attempts <= 0 {
            return Some(RetryPolicy::default());
        }
        let mut headers = conditions(&retries.retry_on);
        headers.push(("x-envoy-max-retries", retries.attempts.to_string()));
        let per_try = retries
            .per_try_timeout
            .as_deref()
            .and_then(|text| duration::parse(text).ok());
        if let Some(per_try) = per_try.filter(|timeout| !timeout.is_zero()) {
            headers.push((
                "x-envoy-upstream-rq-per-try-timeout-ms",
                per_try.as_millis().to_string(),
            ));
        }
        Some(RetryPolicy { variant, headers })
    }
}

/// `retryOn` in the three headers in which Envoy takes conditions.
///
/// `parseRetryOn`, istio `pilot/pkg/networking/core/route/retry/retry.go`.
fn conditions(retry_on: &str) -> Vec<(&'static str, String)> {
    let written = if retry_on.is_empty() {
        DEFAULT_RETRY_ON
    } else {
        retry_on
    };
    let (mut http, mut grpc, mut codes) = (Vec::new(), Vec::new(), Vec::new());
    for condition in written
        .split(',')
        .map(str::trim)
        .filter(|condition| !condition.is_empty())
    {
        match condition.parse::<u16>() {
            Ok(code) if is_known_status(code) => codes.push(condition),
            _ if GRPC_CONDITIONS.contains(&condition) => grpc.push(condition),
            _ => http.push(condition),
        }
    }
    if !codes.is_empty() && !http.contains(&"retriable-status-codes") {
        http.push("retriable-status-codes");
    }
    let named = [
        ("x-envoy-retry-on", http),
        ("x-envoy-retry-grpc-on", grpc),
        ("x-envoy-retriable-status-codes", codes),
    ];
    named
        .into_iter()
        .filter(|(_, values)| !values.is_empty())
        .map(|(name, values)| (name, values.join(",")))
        .collect()
}

/// Whether Go's `http.StatusText` knows the code.
pub fn is_known_status(code: u16) -> bool {
    matches!(code, 100..=103 | 200..=208 | 226 | 300..=305 | 307 | 308 | 400..=418 | 421..=426 | 428 | 429 | 431 | 451 | 500..=508 | 510 | 511)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(attempts: i64, retry_on: &str) -> Vec<(&'static str, String)> {
        let retries = HTTPRetry {
            attempts,
            retry_on: retry_on.to_owned(),
            ..HTTPRetry::default()
        };
        RetryPolicy::new(Some(&retries), false).unwrap().headers
    }

    #[test]
    fn conditions_go_where_envoy_reads_them() {
        assert_eq!(
            policy(3, "5xx, unavailable,503,1000,"),
            [
                ("x-envoy-retry-on", "5xx,1000,retriable-status-codes".to_owned()),
                ("x-envoy-retry-grpc-on", "unavailable".to_owned()),
                ("x-envoy-retriable-status-codes", "503".to_owned()),
                ("x-envoy-max-retries", "3".to_owned()),
            ]
        );
    }

    #[test]
    fn no_attempts_mean_no_conditions() {
        assert_eq!(policy(0, "5xx"), []);
    }

    #[test]
    fn a_variant_is_named_by_what_it_is() {
        let variant = Variant {
            base_interval: Some(Duration::from_millis(50)),
            previous_hosts: false,
            remote_localities: true,
        };
        assert_eq!(variant.key(), "custom backoff=50ms same-hosts remote-localities");
    }
}
