//! Rounds that alternate between the sides, and what is made of them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use crate::envoy::Envoy;
use crate::load::clients::Clients;
use crate::load::{Load, Pace, Run};
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

/// A turn at full speed is cut into so short parts, in which the sides alternate as well: what else the machine does then meets all of them.
const PART: Duration = Duration::from_millis(25);

/// The clients of each side, all of which ask the same.
pub struct Sides(Vec<(Side, Clients)>);

impl Sides {
    /// Connects to sides, and lets each warm up.
    pub fn connect(
        load: &mut Load,
        addresses: &[(Side, SocketAddr)],
        ask: &[u8],
        expected: &[u8],
        plan: Plan,
    ) -> Result<Self> {
        let mut sides = Vec::new();
        for (side, address) in addresses {
            // One route leads to one subset, whatever is asked.
            let any = matches!(side, Side::Plain | Side::Noop).then_some(b"v1".as_slice());
            let mut clients = load.connect(*address, ask, plan.connections, any.unwrap_or(expected))?;
            load.run(&mut clients, Pace::Closed, plan.turn / 4)?;
            sides.push((*side, clients));
        }
        Ok(Sides(sides))
    }

    /// Gives each of the first `count` sides one turn.
    pub fn turn(
        &mut self,
        load: &mut Load,
        envoy: &Envoy,
        count: usize,
        pace: Pace,
        turn: Duration,
    ) -> Result<Vec<(Side, Turn)>> {
        let parts = match pace {
            Pace::Closed => (turn.as_millis() / PART.as_millis()).max(1) as u32,
            Pace::Fixed { .. } => 1,
        };
        let sides = self.0.iter().take(count);
        let mut turns: Vec<(Side, Turn)> = sides.map(|(side, _)| (*side, Turn::default())).collect();
        for _ in 0..parts {
            for ((side, clients), (_, sum)) in self.0.iter_mut().zip(&mut turns) {
                let before = envoy.worker_clock()?;
                let run = load.run(clients, pace, turn / parts)?;
                sum.cpu += envoy.worker_clock()? - before;
                anyhow::ensure!(run.failed == 0, "{} of {side:?} were not answered with 200", run.failed);
                sum.run.add(run);
            }
        }
        Ok(turns)
    }
}

/// What one side came to in one turn.
#[derive(Debug, Default)]
pub struct Turn {
    /// How long Envoy's worker ran.
    cpu: Duration,
    /// What the clients saw.
    pub run: Run,
}

impl Figures {
    /// Adds a turn.
    pub fn add(&mut self, turn: &Turn) -> Result<()> {
        let run = &turn.run;
        self.cpu_us
            .0
            .push(turn.cpu.as_secs_f64() * 1e6 / run.latencies.len() as f64);
        self.rate.0.push(run.rate());
        self.p50_ms.0.push(run.percentile(0.5)?);
        self.p99_ms.0.push(run.percentile(0.99)?);
        Ok(())
    }
}

/// Lets the sides take turns, each asked the same.
pub fn rounds(
    load: &mut Load,
    envoy: &Envoy,
    addresses: &[(Side, SocketAddr)],
    ask: &[u8],
    expected: &[u8],
    plan: Plan,
    pace: Pace,
) -> Result<BySide> {
    let mut sides = Sides::connect(load, addresses, ask, expected, plan)?;
    let mut figures = BySide::new();
    for _ in 0..plan.rounds {
        for (side, turn) in sides.turn(load, envoy, addresses.len(), pace, plan.turn)? {
            figures.entry(side).or_default().add(&turn)?;
        }
    }
    Ok(figures)
}
