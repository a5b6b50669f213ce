//! When the manifests have changed.

use std::io::ErrorKind;
use std::path::Path;

use tokio::time::Instant;

use super::Supervisor;
use crate::cli::Failure;
use crate::cli::input::{self, Input, Unreadable};
use crate::cli::run::envoy::{Envoy, Trouble};
use crate::cli::run::manifests::{Found, Reading};
use crate::cli::run::status::{Event, Refusal, now};
use crate::cli::run::{generations, plan};
use crate::envoy::Snapshot;

impl Supervisor<'_> {
    /// Reads the files, and says what has not been said of them.
    pub(super) fn read(&mut self) -> Result<(Reading, Snapshot), Failure> {
        let mut read = Input::default();
        for path in &self.args.filenames {
            match input::files(path, self.args.recursive) {
                Ok(files) => files.iter().for_each(|file| self.read_file(file, &mut read)),
                // Who names what is not there is told so; what goes away later may come back.
                Err(failure) if self.status.borrow().change == 0 => return Err(failure),
                Err(Failure(reason)) => read.unreadable.push(Unreadable::whole(path, &reason)),
            }
        }
        let mut reading = self.manifests.read(read, &|nodes| self.world.check(nodes));
        let snapshot = self.world.snapshot(&mut reading);
        self.say(&reading.unreadable, &reading.found);
        Ok((reading, snapshot?))
    }

    fn read_file(&self, file: &Path, read: &mut Input) {
        match std::fs::read(file) {
            Ok(bytes) if bytes.is_empty() && self.manifests.has_of(file) => {
                let reason = "it is empty; if its objects are to go, remove the file";
                read.unreadable.push(Unreadable::whole(file, reason));
            }
            Ok(bytes) => read.add(&file.display().to_string(), &bytes),
            // It was there a moment ago: the next look finds it gone.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => read.unreadable.push(Unreadable::whole(file, &error.to_string())),
        }
    }

    fn say(&mut self, unreadable: &[Unreadable], found: &[Found]) {
        let before = std::mem::take(&mut self.said);
        for unreadable in unreadable {
            let text = format!("{unreadable:?}");
            if self.said.insert(text.clone()) && !before.contains(&text) {
                self.reporter.unreadable(unreadable);
            }
        }
        for (finding, resource) in found {
            let text = format!("{} {finding}", resource.as_ref().map_or("", |resource| &resource.file));
            if self.said.insert(text.clone()) && !before.contains(&text) {
                self.reporter.finding(finding, resource.as_deref());
            }
        }
    }

    /// The files have changed.
    pub(super) async fn change(&mut self) {
        let begun = Instant::now();
        let (reading, snapshot) = match self.read() {
            Ok(read) => read,
            Err(Failure(reason)) => return self.not_applied(&reason, &[]),
        };
        if snapshot == self.target {
            return self.keep(&reading, begun);
        }
        match self.apply(&snapshot).await {
            Ok(()) => {
                self.serve(&reading, snapshot);
                self.announce(begun.elapsed());
            }
            // An Envoy that has ended is started again, on what was to be served.
            Err(Trouble::Stopping | Trouble::Ended) => self.serve(&reading, snapshot),
            Err(trouble) => self.back(&trouble.to_string()).await,
        }
    }

    /// Nothing changes for Envoy; what is refused may have changed.
    fn keep(&mut self, reading: &Reading, begun: Instant) {
        self.manifests.enforce(&reading.resources);
        let refused: Vec<Refusal> = reading.refused.iter().map(Refusal::from).collect();
        let is_news = self.status.send_if_modified(|status| {
            let is_news = status.refused != refused || status.problem.take().is_some();
            status.refused = refused;
            is_news
        });
        if is_news {
            self.announce(begun.elapsed());
        }
    }

    /// From now on this is what is served, and what there is to go back to.
    pub(super) fn serve(&mut self, reading: &Reading, snapshot: Snapshot) {
        self.target = snapshot;
        self.manifests.enforce(&reading.resources);
        self.status.send_modify(|status| {
            status.change += 1;
            status.since = now();
            status.objects = reading.resources.len();
            status.listeners = plan::addresses(&self.target.listeners);
            status.refused = reading.refused.iter().map(Refusal::from).collect();
            status.problem = None;
        });
    }

    async fn apply(&mut self, snapshot: &Snapshot) -> Result<(), Trouble> {
        if let Some(admin) = self.admin() {
            // Numbers of configurations that have gone may be given again.
            let in_use = admin.stats(generations::IN_USE).await.unwrap_or_default();
            self.tree.generations.have_left(&in_use);
        }
        let steps = plan::make(self.tree.has(), snapshot);
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
        self.refused(reason);
        let target = self.target.clone();
        if let Err(trouble @ (Trouble::Refused(_) | Trouble::Files(_))) = self.apply(&target).await {
            self.refused(&trouble.to_string());
        }
    }

    /// No stream of an earlier configuration is left, or has time left.
    pub(super) async fn trim(&mut self) {
        self.trim_by = None;
        self.tree.generations.give_up();
        let steps = plan::trim(self.tree.has(), &self.target);
        let Some(envoy) = &mut self.envoy else { return };
        let taken = envoy.take(steps, &mut self.tree, &self.signals).await;
        if let Err(trouble @ (Trouble::Refused(_) | Trouble::Files(_))) = taken {
            self.refused(&trouble.to_string());
        }
    }

    /// Envoy says no.
    fn refused(&self, reason: &str) {
        let log = self.envoy.as_ref().map(Envoy::objections).unwrap_or_default();
        self.not_applied(reason, &log);
    }

    fn not_applied(&self, reason: &str, log: &[String]) {
        self.status
            .send_modify(|status| status.problem = Some(reason.to_owned()));
        self.reporter.event(&Event::ChangeRefused { reason, log });
    }
}
