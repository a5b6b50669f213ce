//! When Envoy has ended.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use tokio::time::Instant;

use super::Supervisor;
use crate::cli::run::envoy::{Envoy, Trouble};
use crate::cli::run::plan;
use crate::cli::run::status::{Event, State, now};
use crate::envoy::Snapshot;

/// An Envoy that lived this long did not die of how it was started.
const HEALTHY: Duration = Duration::from_secs(10);
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// When to start Envoy again.
#[derive(Debug, Default)]
pub(super) struct Restart {
    /// How often it ended soon after its start.
    failures: u32,
    started: Option<Instant>,
    due: Option<Instant>,
}

impl Restart {
    /// Envoy is started now.
    fn begin(&mut self, now: Instant) {
        self.started = Some(now);
        self.due = None;
    }

    /// Envoy has ended: it is started again at once, and after pauses that double if it does not live.
    fn pause(&mut self, now: Instant) -> Duration {
        if self.started.is_some_and(|started| now - started > HEALTHY) {
            self.failures = 0;
        }
        let pause = match self.failures {
            0 => Duration::ZERO,
            failures => (SHORTEST_PAUSE * 2_u32.pow((failures - 1).min(10))).min(LONGEST_PAUSE),
        };
        self.failures += 1;
        self.due = Some(now + pause);
        pause
    }

    /// None while it runs.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }
}

impl Supervisor<'_> {
    pub(super) fn ended(&mut self, status: io::Result<ExitStatus>) {
        let log = self.envoy.take().map(|envoy| envoy.log()).unwrap_or_default();
        let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        self.down(&status, &log);
    }

    fn down(&mut self, status: &str, log: &[String]) {
        self.status.send_modify(|status| status.state = State::Starting);
        self.trim_by = None;
        let pause = self.restart.pause(Instant::now());
        self.reporter.event(&Event::EnvoyEnded {
            status,
            log,
            restart_ms: pause.as_millis(),
        });
    }

    /// Starts Envoy again, on what is to be served.
    pub(super) async fn again(&mut self) {
        let begun = Instant::now();
        let target = self.target.clone();
        match self.boot(&target).await {
            Ok(()) => {
                self.status.send_modify(|status| status.since = now());
                self.announce(begun.elapsed());
            }
            Err((Trouble::Stopping, _)) => {}
            Err((trouble, log)) => self.down(&trouble.to_string(), &log),
        }
    }

    /// Starts Envoy on exactly this.
    pub(super) async fn boot(&mut self, target: &Snapshot) -> Result<(), (Trouble, Vec<String>)> {
        self.restart.begin(Instant::now());
        self.tree.generations.start_anew();
        let files = plan::boot(target).into_iter().try_for_each(|step| self.tree.take(step));
        files.map_err(|error| (Trouble::Files(error), Vec::new()))?;
        let mut envoy = Envoy::start(&self.settings, &self.tree, self.reporter, &self.signals).await?;
        let steps = plan::make(self.tree.has(), target);
        if let Err(trouble) = envoy.take(steps, &mut self.tree, &self.signals).await {
            return Err((trouble, envoy.kill().await));
        }
        self.envoy = Some(envoy);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envoy_that_lived_is_started_at_once_and_one_that_did_not_after_longer_and_longer() {
        let mut restart = Restart::default();
        let mut now = Instant::now();
        let mut pauses = |lived: u64, times: usize| -> Vec<u128> {
            let mut end = || {
                restart.begin(now);
                assert_eq!(restart.due(), None);
                now += Duration::from_secs(lived);
                let pause = restart.pause(now);
                assert_eq!(restart.due(), Some(now + pause));
                pause.as_millis()
            };
            (0..times).map(|_| end()).collect()
        };
        assert_eq!(pauses(1, 9), [0, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(pauses(11, 2), [0, 0]);
        assert_eq!(pauses(1, 2), [100, 200]);
    }
}
