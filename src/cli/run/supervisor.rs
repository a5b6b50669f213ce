//! What keeps Envoy and the manifests together.

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::{Instant, sleep, sleep_until};

use super::admin::Admin;
use super::envoy::{Envoy, Trouble};
use super::generations::{self, Generations};
use super::manifests::Manifests;
use super::process::Settings;
use super::signals::Signals;
use super::status::{Event, Reporter, State, Status};
use super::tree::Tree;
use super::watch::Watch;
use super::world::World;
use super::{Args, Events, find, ready};
use crate::cli::{Failure, Status as Exit, report};
use crate::envoy::Snapshot;
use crate::finding::Severity;
use restart::Restart;

/// Streams that are to end are looked at this often.
const LOOK: Duration = Duration::from_millis(20);
/// And not sooner than this after a change.
const SETTLING: Duration = Duration::from_millis(100);

mod follow;
mod restart;

/// What `run` holds together.
pub(super) struct Supervisor<'a> {
    args: &'a Args,
    reporter: Reporter,
    signals: Signals,
    watch: Watch,
    settings: Settings,
    world: World,
    /// None while it is down.
    envoy: Option<Envoy>,
    tree: Tree,
    manifests: Manifests,
    /// What is served, and what there is to go back to.
    target: Snapshot,
    status: tokio::sync::watch::Sender<Status>,
    /// What was said of the documents as they are.
    said: BTreeSet<String>,
    /// Until then, streams of an earlier configuration keep what they may ask for.
    trim_by: Option<Instant>,
    restart: Restart,
    /// Holds the tree, and is removed with this.
    _temporary: Option<TempDir>,
}

impl<'a> Supervisor<'a> {
    /// Reads the manifests and starts Envoy on them. With `--strict` nothing is started while one of them is refused.
    pub(super) async fn start(args: &'a Args) -> Result<Option<Supervisor<'a>>, Failure> {
        let json = match args.events {
            Some(format) => format == Events::Json,
            None => !std::io::stderr().is_terminal(),
        };
        let reporter = Reporter { json };
        let signals = Signals::take()?;
        let (listener, ready) = ready::listen(args.ready).await?;
        let (directory, temporary) = directory(args.dir.as_deref())?;
        let settings = Settings {
            envoy: find::envoy(args.envoy.as_deref())?,
            bootstrap: directory.join("bootstrap.json"),
            admin_address: directory.join("admin"),
            concurrency: args.concurrency,
            drain_time: args.drain_time(),
            log_level: args.log_level.clone(),
        };
        let world = World::new(args, &directory)?;
        let tree = Tree::new(&directory).map_err(|error| Failure::of(directory.display(), error))?;
        let mut supervisor = Supervisor {
            args,
            reporter,
            signals,
            watch: Watch::new(
                args.filenames.iter().chain(&args.callers).cloned().collect(),
                args.recursive,
            ),
            settings,
            world,
            envoy: None,
            tree,
            manifests: Manifests::default(),
            target: Snapshot::default(),
            status: tokio::sync::watch::Sender::new(Status {
                ready: ready.to_string(),
                ..Status::default()
            }),
            said: BTreeSet::new(),
            trim_by: None,
            restart: Restart::default(),
            _temporary: temporary,
        };
        tokio::spawn(ready::serve(listener, supervisor.status.subscribe()));
        Ok(match supervisor.first().await? {
            Exit::Done => Some(supervisor),
            Exit::Refused | Exit::Differs => None,
        })
    }

    /// The first manifests, and the first Envoy.
    async fn first(&mut self) -> Result<Exit, Failure> {
        let begun = Instant::now();
        let (reading, snapshot) = self.read()?;
        if self.args.strict && !reading.refused.is_empty() {
            let why = "nothing is started: --strict, and a document is refused";
            report::line(Severity::Error, why);
            return Ok(Exit::Refused);
        }
        self.reporter.event(&Event::Starting {
            envoy: &self.settings.envoy,
            wasm: self.world.wasm(),
        });
        match self.boot(&snapshot).await {
            Ok(()) => {
                self.serve(&reading, snapshot);
                self.announce(begun.elapsed());
            }
            Err((Trouble::Stopping, _)) => {}
            Err((trouble, log)) => {
                let lines: Vec<String> = [trouble.to_string()].into_iter().chain(log).collect();
                return Err(Failure(lines.join("\n  ")));
            }
        }
        Ok(Exit::Done)
    }

    /// Until it is told to stop.
    pub(super) async fn run(mut self) -> Result<Exit, Failure> {
        loop {
            let admin = self.admin();
            tokio::select! {
                biased;
                () = self.signals.stop(1) => return Ok(self.stop().await),
                status = ended(&mut self.envoy) => self.ended(status),
                () = at(self.restart.due()) => self.again().await,
                () = self.watch.changed() => self.change().await,
                () = have_left(admin, self.trim_by, &mut self.tree.generations) => self.trim().await,
            }
        }
    }

    fn admin(&self) -> Option<Admin> {
        self.envoy.as_ref().map(|envoy| envoy.admin)
    }

    /// Says what is live.
    fn announce(&self, took: Duration) {
        let state = match self.envoy {
            Some(_) => State::Live,
            None => State::Starting,
        };
        self.status.send_modify(|status| {
            status.state = state;
            status.admin = self.admin().map(|admin| admin.address.to_string()).unwrap_or_default();
        });
        if state == State::Live {
            self.reporter.event(&Event::Live {
                status: &self.status.borrow(),
                took_ms: took.as_millis(),
            });
        }
    }

    async fn stop(&mut self) -> Exit {
        self.status.send_modify(|status| status.state = State::Draining);
        if let Some(envoy) = self.envoy.take() {
            self.reporter.event(&Event::Draining {
                seconds: self.args.drain_time,
            });
            let status = envoy.stop(self.args.drain_time(), &self.signals).await;
            self.reporter.event(&Event::Stopped { status });
        }
        Exit::Done
    }
}

/// Where Envoy's files are to be, and what removes them.
fn directory(given: Option<&Path>) -> Result<(PathBuf, Option<TempDir>), Failure> {
    let fail = |error| Failure::of("the directory for Envoy's files", error);
    match given {
        Some(path) => {
            std::fs::create_dir_all(path).map_err(fail)?;
            Ok((std::path::absolute(path).map_err(fail)?, None))
        }
        None => {
            let temporary = tempfile::Builder::new().prefix("switchyard-").tempdir().map_err(fail)?;
            Ok((temporary.path().to_owned(), Some(temporary)))
        }
    }
}

async fn ended(envoy: &mut Option<Envoy>) -> std::io::Result<ExitStatus> {
    match envoy {
        Some(envoy) => envoy.ended().await,
        None => std::future::pending().await,
    }
}

async fn at(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// Waits until no stream of an earlier configuration is left, or until `deadline`.
async fn have_left(admin: Option<Admin>, deadline: Option<Instant>, generations: &mut Generations) {
    let (Some(admin), Some(deadline)) = (admin, deadline) else {
        return std::future::pending().await;
    };
    // A worker may still be at what it was at when the filter changed over.
    let mut pause = SETTLING;
    while Instant::now() < deadline {
        sleep(pause).await;
        let asked = Instant::now();
        if let Ok(stats) = admin.stats(generations::IN_USE).await
            && generations.have_left(&stats)
        {
            return;
        }
        // An Envoy of many statistics is not to spend its time on this question.
        pause = LOOK.max(4 * asked.elapsed());
    }
}
