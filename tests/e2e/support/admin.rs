//! Envoy's own account of itself.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::http::{Answer, get};

/// Envoy's admin interface.
#[derive(Clone, Copy)]
pub struct Admin(pub SocketAddr);

/// Counters and gauges by name.
#[derive(Debug, Clone)]
pub struct Stats(BTreeMap<String, u64>);

impl Stats {
    /// A counter's or gauge's value; 0 for one that Envoy does not have (yet).
    pub fn get(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    /// The sum of all whose name begins and ends so.
    pub fn sum(&self, begin: &str, end: &str) -> u64 {
        let wanted = self
            .0
            .iter()
            .filter(|(name, _)| name.starts_with(begin) && name.ends_with(end));
        wanted.map(|(_, value)| value).sum()
    }

    /// How many of those whose name begins so are not 0.
    pub fn count(&self, begin: &str) -> usize {
        let named = self.0.iter().filter(|(name, _)| name.starts_with(begin));
        named.filter(|(_, value)| **value > 0).count()
    }
}

impl Admin {
    pub async fn get(&self, path: &str) -> Answer {
        get("admin", path).send(self.0).await
    }

    pub async fn is_live(&self) -> bool {
        let answer = get("admin", "/ready").try_send(self.0).await;
        answer.is_ok_and(|answer| answer.text().trim() == "LIVE")
    }

    pub async fn stats(&self) -> Stats {
        self.stats_of("").await
    }

    /// Those whose names hold an expression's match.
    pub async fn stats_of(&self, filter: &str) -> Stats {
        let answer = self.get(&format!("/stats?type=All&filter={filter}")).await;
        let line = |line: &str| {
            let (name, value) = line.rsplit_once(": ")?;
            Some((name.to_owned(), value.parse().ok()?))
        };
        Stats(answer.text().lines().filter_map(line).collect())
    }

    /// Waits until the statistics are as they should be, for 5 s at most, and returns them.
    pub async fn until(&self, what: &str, holds: impl Fn(&Stats) -> bool) -> Stats {
        let begin = Instant::now();
        loop {
            let stats = self.stats().await;
            if holds(&stats) {
                return stats;
            }
            assert!(begin.elapsed() < Duration::from_secs(5), "never {what}: {stats:#?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
