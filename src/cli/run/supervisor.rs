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
use super::manifests::{Manifests, Reading};
use super::plan;
use super::process::Settings;
use super::signals::Signals;
use super::status::{Event, Refusal, Reporter, State, Status, now};
use super::tree::Tree;
use super::watch::Watch;
use super::world::World;
use super::{Args, Events, find, ready};
use crate::cli::input::{self, Input};
use crate::cli::{Failure, Status as Exit, report};
use crate::envoy::Snapshot;
use crate::finding::Severity;

/// An Envoy that lived this long did not die of how it was started.
const HEALTHY: Duration = Duration::from_secs(10);
/// Streams that are to end are looked at this often.
const LOOK: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

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

/// When to start Envoy again.
#[derive(Debug, Default)]
struct Restart {
    /// How often it ended soon after its start.
    failures: u32,
    started: Option<Instant>,
    due: Option<Instant>,
}

impl Restart {
    /// At once the first time, then after pauses that double.
    fn pause(&mut self) -> Duration {
        if self.started.is_some_and(|started| started.elapsed() > HEALTHY) {
            self.failures = 0;
        }
        let pause = match self.failures {
            0 => Duration::ZERO,
            failures => Duration::from_millis(50 << failures.min(10)).min(LONGEST_PAUSE),
        };
        self.failures += 1;
        self.due = Some(Instant::now() + pause);
        pause
    }
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
        let world = World::new(args, &directory, reporter)?;
        let tree = Tree::new(&directory).map_err(|error| Failure::of(directory.display(), error))?;
        let mut supervisor = Supervisor {
            args,
            reporter,
            signals,
            watch: Watch::new(args.filenames.clone(), args.recursive),
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
        let begun = Instant::now();
        let reading = supervisor.read()?;
        if args.strict && !reading.refused.is_empty() {
            report::line(
                Severity::Error,
                "nothing is started: --strict, and a document is refused",
            );
            return Ok(None);
        }
        supervisor.first(&reading, begun).await?;
        Ok(Some(supervisor))
    }

    async fn first(&mut self, reading: &Reading, begun: Instant) -> Result<(), Failure> {
        let snapshot = self.world.snapshot(&reading.resources)?;
        self.reporter.event(&Event::Starting {
            envoy: &self.settings.envoy,
            wasm: self.world.wasm(),
        });
        match self.boot(&snapshot).await {
            Ok(()) | Err((Trouble::Stopping, _)) => {}
            Err((trouble, log)) => {
                let lines: Vec<String> = [trouble.to_string()].into_iter().chain(log).collect();
                return Err(Failure(lines.join("\n  ")));
            }
        }
        self.target = snapshot;
        self.manifests.enforce(&reading.resources);
        self.live(reading, begun.elapsed(), true);
        Ok(())
    }

    /// Until it is told to stop.
    pub(super) async fn run(mut self) -> Result<Exit, Failure> {
        loop {
            let admin = self.admin();
            tokio::select! {
                biased;
                () = self.signals.stop(1) => return Ok(self.stop().await),
                status = ended(&mut self.envoy) => self.ended(status),
                () = at(self.restart.due) => self.again().await,
                () = self.watch.changed() => self.change().await,
                () = have_left(admin, self.trim_by, &mut self.tree.generations) => self.trim().await,
            }
        }
    }

    /// Reads the files, and says what has not been said of them.
    fn read(&mut self) -> Result<Reading, Failure> {
        let mut read = Input::default();
        for path in &self.args.filenames {
            for file in input::files(path, self.args.recursive)? {
                let name = file.display().to_string();
                match std::fs::read(&file) {
                    Ok(bytes) => read.add(&name, &bytes),
                    // It was there a moment ago: the next look finds it gone.
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                    Err(error) => return Err(Failure::of(name, error)),
                }
            }
        }
        let reading = self.manifests.read(read, &|nodes| self.world.check(nodes));
        self.say(&reading);
        Ok(reading)
    }

    fn say(&mut self, reading: &Reading) {
        let before = std::mem::take(&mut self.said);
        for unreadable in &reading.unreadable {
            let text = format!("{unreadable:?}");
            if !before.contains(&text) {
                self.reporter.unreadable(unreadable);
            }
            self.said.insert(text);
        }
        for (finding, resource) in &reading.findings {
            let text = format!("{} {finding}", resource.as_ref().map_or("", |resource| &resource.file));
            if !before.contains(&text) {
                self.reporter.finding(finding, resource.as_deref());
            }
            self.said.insert(text);
        }
    }

    /// The files have changed.
    async fn change(&mut self) {
        let begun = Instant::now();
        let read = self.read().and_then(|reading| {
            let snapshot = self.world.snapshot(&reading.resources)?;
            Ok((reading, snapshot))
        });
        let (reading, snapshot) = match read {
            Ok(read) => read,
            Err(Failure(reason)) => return self.reporter.event(&Event::Unreadable { reason: &reason }),
        };
        if snapshot == self.target {
            self.manifests.enforce(&reading.resources);
            let refused: Vec<Refusal> = reading.refused.iter().map(Refusal::from).collect();
            if refused != self.status.borrow().refused {
                self.live(&reading, begun.elapsed(), false);
            }
            return;
        }
        match self.apply(&snapshot).await {
            Ok(()) => {
                self.target = snapshot;
                self.manifests.enforce(&reading.resources);
                self.live(&reading, begun.elapsed(), true);
            }
            Err(Trouble::Stopping | Trouble::Ended) => {
                // Whatever comes next begins with the files as they are to be.
                self.target = snapshot;
                self.manifests.enforce(&reading.resources);
            }
            Err(trouble) => self.back(&trouble.to_string()).await,
        }
    }

    async fn apply(&mut self, snapshot: &Snapshot) -> Result<(), Trouble> {
        let steps = plan::make(self.tree.has(), snapshot);
        if let Some(admin) = self.admin() {
            // Numbers of configurations that have gone may be given again.
            self.tree
                .generations
                .have_left(&admin.stats(generations::IN_USE).await.unwrap_or_default());
        }
        match &mut self.envoy {
            Some(envoy) => envoy.take(steps, &mut self.tree, &self.signals).await?,
            None => steps
                .into_iter()
                .try_for_each(|step| self.tree.take(step))
                .map_err(Trouble::Files)?,
        }
        let leaves = !plan::trim(self.tree.has(), snapshot).is_empty();
        self.trim_by = leaves.then(|| Instant::now() + self.args.drain_time());
        Ok(())
    }

    /// Envoy did not take a change: everything is to be as before. Of clusters and listeners it takes those that it likes.
    async fn back(&mut self, reason: &str) {
        let log = self.envoy.as_ref().map(Envoy::objections).unwrap_or_default();
        self.reporter.event(&Event::ChangeRefused { reason, log: &log });
        let target = self.target.clone();
        if let Err(trouble) = self.apply(&target).await {
            self.reporter.event(&Event::ChangeRefused {
                reason: &trouble.to_string(),
                log: &[],
            });
        }
    }

    /// No stream of an earlier configuration is left, or has time left.
    async fn trim(&mut self) {
        self.trim_by = None;
        self.tree.generations.give_up();
        let steps = plan::trim(self.tree.has(), &self.target);
        if let Some(envoy) = &mut self.envoy
            && let Err(Trouble::Refused(reason)) = envoy.take(steps, &mut self.tree, &self.signals).await
        {
            let log = envoy.objections();
            self.reporter.event(&Event::ChangeRefused {
                reason: &reason,
                log: &log,
            });
        }
    }

    fn ended(&mut self, status: std::io::Result<ExitStatus>) {
        let log = self.envoy.take().map(|envoy| envoy.log()).unwrap_or_default();
        self.down(
            &status.map_or_else(|error| error.to_string(), |status| status.to_string()),
            &log,
        );
    }

    fn down(&mut self, status: &str, log: &[String]) {
        self.status.send_modify(|status| status.state = State::Starting);
        self.trim_by = None;
        let pause = self.restart.pause();
        self.reporter.event(&Event::EnvoyEnded {
            status,
            log,
            restart_ms: pause.as_millis(),
        });
    }

    /// Starts Envoy again, on exactly what is to be served.
    async fn again(&mut self) {
        let begun = Instant::now();
        self.restart.due = None;
        let target = self.target.clone();
        match self.boot(&target).await {
            Ok(()) => {
                self.status.send_modify(|status| {
                    status.state = State::Live;
                    status.admin = self.admin().map(|admin| admin.address.to_string()).unwrap_or_default();
                });
                self.reporter.event(&Event::Live {
                    status: &self.status.borrow(),
                    took_ms: begun.elapsed().as_millis(),
                });
            }
            Err((Trouble::Stopping, _)) => {}
            Err((trouble, log)) => self.down(&trouble.to_string(), &log),
        }
    }

    /// Starts Envoy on exactly this.
    async fn boot(&mut self, target: &Snapshot) -> Result<(), (Trouble, Vec<String>)> {
        self.tree.generations.start_anew();
        let files = plan::boot(target).into_iter().try_for_each(|step| self.tree.take(step));
        files.map_err(|error| (Trouble::Files(error), Vec::new()))?;
        self.restart.started = Some(Instant::now());
        let mut envoy = Envoy::start(&self.settings, &self.tree, self.reporter, &self.signals).await?;
        let steps = plan::make(self.tree.has(), target);
        if let Err(trouble) = envoy.take(steps, &mut self.tree, &self.signals).await {
            return Err((trouble, envoy.kill().await));
        }
        self.envoy = Some(envoy);
        Ok(())
    }

    fn admin(&self) -> Option<Admin> {
        self.envoy.as_ref().map(|envoy| envoy.admin)
    }

    fn live(&mut self, reading: &Reading, took: Duration, is_change: bool) {
        self.status.send_modify(|status| {
            status.state = match self.envoy {
                Some(_) => State::Live,
                None => State::Starting,
            };
            if is_change {
                status.change += 1;
                status.since = now();
            }
            status.admin = self
                .envoy
                .as_ref()
                .map(|envoy| envoy.admin.address.to_string())
                .unwrap_or_default();
            status.objects = reading.resources.len();
            status.listeners = plan::addresses(&self.target.listeners);
            status.refused = reading.refused.iter().map(Refusal::from).collect();
        });
        self.reporter.event(&Event::Live {
            status: &self.status.borrow(),
            took_ms: took.as_millis(),
        });
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
    while Instant::now() < deadline {
        let asked = Instant::now();
        if let Ok(stats) = admin.stats(generations::IN_USE).await
            && generations.have_left(&stats)
        {
            return;
        }
        // An Envoy of many statistics is not to spend its time on this question.
        sleep(LOOK.max(4 * asked.elapsed())).await;
    }
}
