//! Both ends of a measured Envoy, in one thread: the clients, and the upstreams.
//!
//! ```text
//! Clients ──▶ Envoy (another core) ──▶ Upstreams
//!    └──────── one poll, no lock ─────────┘
//! ```
//!
//! HTTP/1.1 with connections that stay open. A system call more or less is a tenth of what is measured here, so nothing is done twice.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use mio::{Events, Poll, Token};

use clients::Clients;
use upstreams::Upstreams;

pub mod clients;
pub mod upstreams;

/// Tokens from here on are the upstreams'.
const UPSTREAMS: usize = 1 << 20;
/// An Envoy that answers nothing for so long is broken.
const PATIENCE: Duration = Duration::from_secs(20);

/// The thread that loads Envoy and answers it.
pub struct Load {
    poll: Poll,
    events: Events,
    upstreams: Upstreams,
    /// The next client's token.
    next: usize,
}

/// When requests begin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// Each connection's next one follows on its answer.
    Closed,
    /// So many a second, whatever the answers do; time counts from when one was due.
    Fixed {
        /// Requests a second.
        rate: f64,
        /// Whether to wait for the next one without sleeping, which is exact and takes the whole core.
        spin: bool,
    },
}

/// What clients saw.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// How long each request took, in the order of the answers.
    pub latencies: Vec<Duration>,
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// Answers with another status than 200.
    pub failed: usize,
}

impl Load {
    /// Upstreams that listen, and no client.
    pub fn new() -> Result<Self> {
        let poll = Poll::new()?;
        let upstreams = Upstreams::listen(poll.registry())?;
        Ok(Load {
            poll,
            events: Events::with_capacity(256),
            upstreams,
            next: 0,
        })
    }

    /// The ports of the upstreams: subsets v1, v2, v3.
    pub fn ports(&self) -> [u16; 3] {
        self.upstreams.ports
    }

    /// Connects clients. Each has been answered once when this returns, and `expected` is what they were answered with.
    pub fn connect(&mut self, to: SocketAddr, ask: &[u8], count: usize, expected: &[u8]) -> Result<Clients> {
        let mut clients = Clients::connect(self.poll.registry(), self.next, to, ask, count)?;
        self.next += count;
        let run = self.run(&mut clients, Pace::Closed, Duration::ZERO)?;
        if run.failed > 0 || clients.body != expected {
            let body = String::from_utf8_lossy(&clients.body);
            bail!(
                "{to} answered {body:?} in place of {:?} to {}",
                String::from_utf8_lossy(expected),
                String::from_utf8_lossy(ask)
            );
        }
        Ok(clients)
    }

    /// Lets clients ask for some time, and waits for what is under way then.
    pub fn run(&mut self, clients: &mut Clients, pace: Pace, time: Duration) -> Result<Run> {
        self.run_while(clients, pace, time, || Ok(()))
    }

    /// As [`run`](Self::run), with something else to do every now and then.
    pub fn run_while(
        &mut self,
        clients: &mut Clients,
        pace: Pace,
        time: Duration,
        mut meanwhile: impl FnMut() -> Result<()>,
    ) -> Result<Run> {
        let begin = Instant::now();
        let mut last = begin;
        clients.begin(pace, begin, begin + time);
        loop {
            let now = Instant::now();
            clients.due(now)?;
            if clients.is_done(now) {
                break;
            }
            self.poll
                .poll(&mut self.events, clients.timeout(now))
                .or_else(|error| match error.kind() {
                    std::io::ErrorKind::Interrupted => Ok(()),
                    _ => Err(error),
                })?;
            for event in &self.events {
                let Token(token) = event.token();
                match token.checked_sub(UPSTREAMS) {
                    Some(upstream) => self.upstreams.ready(self.poll.registry(), upstream)?,
                    None => {
                        clients.ready(token)?;
                        last = Instant::now();
                    }
                }
            }
            if now.duration_since(last) > PATIENCE {
                bail!("Envoy has not answered for {} s", PATIENCE.as_secs());
            }
            meanwhile()?;
        }
        Ok(clients.finish(begin))
    }
}

impl Run {
    /// Takes in what was seen after it.
    pub fn add(&mut self, run: Run) {
        self.latencies.extend(run.latencies);
        self.elapsed += run.elapsed;
        self.failed += run.failed;
    }

    /// The share `of` of all latencies is not longer, in milliseconds.
    pub fn percentile(&self, of: f64) -> Result<f64> {
        let mut sorted = self.latencies.clone();
        sorted.sort();
        let last = sorted.len().checked_sub(1).context("no request was answered")?;
        let index = (last as f64 * of).round() as usize;
        let latency = sorted.get(index).context("a share is between 0 and 1")?;
        Ok(latency.as_secs_f64() * 1e3)
    }

    /// Requests a second.
    pub fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64()
    }
}
