//! Rounds that alternate between the sides, and what is made of them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use crate::envoy::Envoy;
use crate::load::{Load, Pace};
use crate::site::Side;

/// How long and how often.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How often each side has its turn.
    pub rounds: usize,
    /// How long a turn takes.
    pub turn: Duration,
    /// Connections, each with one request at a time.
    pub connections: usize,
}

/// One figure, once a round.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Series(pub Vec<f64>);

/// What one side came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Microseconds that Envoy's worker ran for a request.
    pub cpu_us: Series,
    /// Requests a second.
    pub rate: Series,
    /// Milliseconds that the fastest took.
    pub least_ms: Series,
    /// In milliseconds.
    pub p50_ms: Series,
    /// In milliseconds.
    pub p99_ms: Series,
}

/// What the sides came to.
pub type BySide = BTreeMap<Side, Figures>;

impl Series {
    /// The one in the middle; zero of none.
    pub fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or_default()
    }

    /// The smallest and the largest.
    pub fn spread(&self) -> (f64, f64) {
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in &self.0 {
            (least, most) = (least.min(*value), most.max(*value));
        }
        (least, most)
    }

    /// Round by round, with another series.
    pub fn with(&self, other: &Series, combine: impl Fn(f64, f64) -> f64) -> Series {
        Series(self.0.iter().zip(&other.0).map(|(a, b)| combine(*a, *b)).collect())
    }
}

/// Lets the sides take turns, each asked the same.
pub fn rounds(
    load: &mut Load,
    envoy: &Envoy,
    sides: &[(Side, SocketAddr)],
    ask: &[u8],
    expected: &[u8],
    plan: Plan,
    pace: Pace,
) -> Result<BySide> {
    let mut clients = Vec::new();
    for (side, address) in sides {
        // One route leads to one subset, whatever is asked.
        let any = matches!(side, Side::Plain | Side::Noop).then_some(b"v1".as_slice());
        let mut clients_of_side = load.connect(*address, ask, plan.connections, any.unwrap_or(expected))?;
        load.run(&mut clients_of_side, Pace::Closed, plan.turn / 4)?;
        clients.push((*side, clients_of_side));
    }
    let mut figures = BySide::new();
    for _ in 0..plan.rounds {
        for (side, clients) in &mut clients {
            let before = envoy.worker_clock()?;
            let run = load.run(clients, pace, plan.turn)?;
            let cpu = envoy.worker_clock()? - before;
            let figures = figures.entry(*side).or_default();
            anyhow::ensure!(run.failed == 0, "{} of {side:?} were not answered with 200", run.failed);
            figures
                .cpu_us
                .0
                .push(cpu.as_secs_f64() * 1e6 / run.latencies.len() as f64);
            figures.rate.0.push(run.rate());
            figures.least_ms.0.push(run.percentile(0.0)?);
            figures.p50_ms.0.push(run.percentile(0.5)?);
            figures.p99_ms.0.push(run.percentile(0.99)?);
        }
    }
    Ok(figures)
}
