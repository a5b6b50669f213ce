//! When to stop.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::cli::Failure;

/// How often this process was asked to stop.
#[derive(Debug, Clone)]
pub(super) struct Signals(watch::Receiver<u32>);

impl Signals {
    /// From here on SIGTERM, SIGINT and SIGHUP no longer end this process.
    pub(super) fn take() -> Result<Signals, Failure> {
        let (sender, receiver) = watch::channel(0);
        let sender = std::sync::Arc::new(sender);
        for kind in [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()] {
            let mut stream = signal(kind).map_err(|error| Failure::of("signals", error))?;
            let sender = std::sync::Arc::clone(&sender);
            tokio::spawn(async move {
                while stream.recv().await.is_some() {
                    sender.send_modify(|count| *count += 1);
                }
            });
        }
        Ok(Signals(receiver))
    }

    /// Waits until it was asked `times` times.
    pub(super) async fn stop(&self, times: u32) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|count| *count >= times).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    pub(super) fn are_there(&self) -> bool {
        *self.0.borrow() > 0
    }
}
