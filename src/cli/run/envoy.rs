//! A running Envoy: its process, its admin interface, and what it has been told.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use hyper::StatusCode;
use tokio::time::{Instant, sleep};

use super::acceptance::{self, Verdict, Written};
use super::admin::{Admin, Stats};
use super::plan::Step;
use super::process::{Process, Settings};
use super::signals::Signals;
use super::status::Reporter;
use super::tree::Tree;
use crate::cli::Failure;
use crate::envoy::Kind;

/// Until it answers at all: Envoy compiles the filter before.
const START: Duration = Duration::from_secs(30);
/// Until a file is live. Measured: 1 to 8 ms, 13 ms with a new VM.
const ACCEPTANCE: Duration = Duration::from_secs(30);
/// A cluster whose name does not resolve warms for long; others are not to wait for it.
const WARMING: Duration = Duration::from_secs(3);
/// Clients that send nothing for so long have heard that they are to go elsewhere.
const NOTICE: Duration = Duration::from_secs(1);
/// Until a request is counted whose connection was taken.
const ACCEPTED: Duration = Duration::from_millis(200);
/// Counters are looked at this often.
const POLL: Duration = Duration::from_millis(3);

/// An Envoy that answers.
pub(super) struct Envoy {
    process: Process,
    pub(super) admin: Admin,
    /// Where its log stood when it was last told something.
    mark: u64,
}

/// Why Envoy does not do what it was told.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It refused something.
    Refused(String),
    /// It has ended.
    Ended,
    /// This process is to stop.
    Stopping,
    /// A file could not be written.
    Files(io::Error),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Refused(what) => f.write_str(what),
            Trouble::Ended => f.write_str("Envoy has ended"),
            Trouble::Stopping => f.write_str("told to stop"),
            Trouble::Files(error) => error.fmt(f),
        }
    }
}

impl From<Failure> for Trouble {
    fn from(Failure(reason): Failure) -> Self {
        Trouble::Refused(reason)
    }
}

impl Envoy {
    /// Starts one on the files of `tree`, and waits until everything in them is live.
    pub(super) async fn start(
        settings: &Settings,
        tree: &Tree,
        reporter: Reporter,
        signals: &Signals,
    ) -> Result<Envoy, (Trouble, Vec<String>)> {
        let _ = fs::remove_file(&settings.admin_address);
        let mut process = Process::start(settings, reporter).map_err(|failure| (failure.into(), Vec::new()))?;
        let admin = match answering(&mut process, &settings.admin_address, signals).await {
            Ok(admin) => admin,
            Err(trouble) => {
                process.kill().await;
                return Err((trouble, process.log.since(0)));
            }
        };
        let mut envoy = Envoy {
            process,
            admin,
            mark: 0,
        };
        let all: Vec<Written> = Kind::ALL.into_iter().flat_map(|kind| tree.written(kind)).collect();
        match envoy.settle(&all, &Stats::new(), signals).await {
            Ok(()) => Ok(envoy),
            Err(trouble) => Err((trouble, envoy.kill().await)),
        }
    }

    /// Takes the steps, each when the one before it is live. One that is refused is taken back, and ends it: of clusters and listeners Envoy
    /// takes those that it likes, and removes those that are gone.
    pub(super) async fn take(&mut self, steps: Vec<Step>, tree: &mut Tree, signals: &Signals) -> Result<(), Trouble> {
        self.mark = self.process.log.mark();
        for step in steps {
            let before = Step {
                kind: step.kind,
                resources: tree.has().of(step.kind).clone(),
            };
            let taken = self.take_one(step, tree, signals).await;
            if let Err(Trouble::Refused(_)) = taken {
                // Whatever comes of it, the refusal is what is to be told.
                let _ = self.take_one(before, tree, signals).await;
            }
            taken?;
        }
        Ok(())
    }

    async fn take_one(&mut self, step: Step, tree: &mut Tree, signals: &Signals) -> Result<(), Trouble> {
        let before = self.admin.stats(acceptance::REFUSALS).await.unwrap_or_default();
        let kind = step.kind;
        tree.take(step).map_err(Trouble::Files)?;
        let mut written = tree.written(kind);
        if kind == Kind::Listeners {
            written.extend(tree.written(Kind::Routes));
            written.extend(tree.written(Kind::Extensions));
        }
        self.settle(&written, &before, signals).await
    }

    /// Waits until the files are live, and nothing warms any more.
    async fn settle(&mut self, written: &[Written], before: &Stats, signals: &Signals) -> Result<(), Trouble> {
        let begun = Instant::now();
        let mut pause = POLL;
        loop {
            self.still_needed(signals)?;
            let asked = Instant::now();
            let versions = self.admin.stats(acceptance::VERSIONS).await.unwrap_or_default();
            let refusals = self.admin.stats(acceptance::REFUSALS).await.unwrap_or_default();
            let verdict = match versions.is_empty() {
                true => Verdict::Pending(vec!["Envoy's statistics".to_owned()]),
                false => acceptance::verdict(written, &versions, &refusals, before),
            };
            let waited = begun.elapsed();
            match verdict {
                Verdict::Refused(what) => {
                    return Err(Trouble::Refused(format!("Envoy refused {}", what.join(", "))));
                }
                Verdict::Live if !acceptance::is_warming(&refusals) || waited > WARMING => return Ok(()),
                Verdict::Pending(what) if waited > ACCEPTANCE => {
                    let seconds = ACCEPTANCE.as_secs();
                    return Err(Trouble::Refused(format!(
                        "Envoy has not taken within {seconds} s: {}",
                        what.join(", ")
                    )));
                }
                Verdict::Live | Verdict::Pending(_) => {}
            }
            // An Envoy of many statistics is not to spend its time on this question.
            pause = pause.max(asked.elapsed());
            sleep(pause).await;
        }
    }

    fn still_needed(&mut self, signals: &Signals) -> Result<(), Trouble> {
        match () {
            () if signals.are_there() => Err(Trouble::Stopping),
            () if self.process.has_ended() => Err(Trouble::Ended),
            () => Ok(()),
        }
    }

    /// Waits until it has ended by itself.
    pub(super) async fn ended(&mut self) -> io::Result<ExitStatus> {
        self.process.ended().await
    }

    /// Its last lines.
    pub(super) fn log(&self) -> Vec<String> {
        self.process.log.since(0)
    }

    /// What it wrote since it was last told something.
    pub(super) fn objections(&self) -> Vec<String> {
        self.process.log.since(self.mark)
    }

    /// Ends it at once; what it wrote last.
    pub(super) async fn kill(mut self) -> Vec<String> {
        self.process.kill().await;
        self.process.log.since(0)
    }

    /// Lets requests under way end, and then ends it. A second signal does not wait for them.
    pub(super) async fn stop(mut self, drain_time: Duration, signals: &Signals) -> &'static str {
        let status = tokio::select! {
            () = self.drain(drain_time) => "every request was answered or had its time",
            () = signals.stop(2) => "at once",
        };
        if status != "at once" {
            let _ = self.admin.post("/quitquitquit").await;
            let _ = tokio::time::timeout(Duration::from_secs(2), self.process.ended()).await;
        }
        self.process.kill().await;
        status
    }

    /// New connections are taken, and told to close, until clients have had the time to go elsewhere; requests under way may end.
    async fn drain(&self, drain_time: Duration) {
        let begun = Instant::now();
        let _ = self.admin.post("/healthcheck/fail").await;
        let _ = self.admin.post("/drain_listeners?graceful&skip_exit").await;
        self.is_left_alone(NOTICE, u64::MAX, begun + drain_time / 2).await;
        let _ = self.admin.post("/drain_listeners").await;
        self.is_left_alone(ACCEPTED, 0, begun + drain_time).await;
    }

    /// Waits until no more than so many requests are under way and clients have sent no other for some time, which is less when they have
    /// gone; until `deadline` at the latest.
    async fn is_left_alone(&self, time: Duration, under_way: u64, deadline: Instant) {
        let mut requests = None;
        let mut since = Instant::now();
        while Instant::now() < deadline {
            if let Some(load) = Load::of(self.admin).await {
                if requests.replace(load.requests) != Some(load.requests) {
                    since = Instant::now();
                }
                let time = if load.connections == 0 { time / 4 } else { time };
                if load.under_way <= under_way && since.elapsed() >= time {
                    return;
                }
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
}

/// What clients ask of all listeners.
struct Load {
    connections: u64,
    under_way: u64,
    /// Since Envoy began.
    requests: u64,
}

impl Load {
    /// None where Envoy does not answer.
    async fn of(admin: Admin) -> Option<Load> {
        let stats = admin
            .stats("filter=^http%5C..*downstream_(cx_active%7Crq_active%7Crq_total)$")
            .await
            .ok()?;
        let sum = |end: &str| {
            let of_clients = stats
                .iter()
                .filter(|(name, _)| name.ends_with(end) && !name.starts_with("http.admin."));
            of_clients.filter_map(|(_, value)| value.parse::<u64>().ok()).sum()
        };
        Some(Load {
            connections: sum(".downstream_cx_active"),
            under_way: sum(".downstream_rq_active"),
            requests: sum(".downstream_rq_total"),
        })
    }
}

/// Where the admin interface answers that Envoy is live.
async fn answering(process: &mut Process, address: &Path, signals: &Signals) -> Result<Admin, Trouble> {
    let begun = Instant::now();
    while begun.elapsed() < START {
        if signals.are_there() {
            return Err(Trouble::Stopping);
        }
        if process.has_ended() {
            return Err(Trouble::Ended);
        }
        let address = fs::read_to_string(address)
            .ok()
            .and_then(|text| text.trim().parse().ok());
        if let Some(admin) = address.map(|address| Admin { address })
            && let Ok((StatusCode::OK, _)) = admin.get("/ready").await
        {
            return Ok(admin);
        }
        sleep(Duration::from_millis(5)).await;
    }
    Err(Trouble::Refused(format!(
        "Envoy was not live within {} s",
        START.as_secs()
    )))
}
