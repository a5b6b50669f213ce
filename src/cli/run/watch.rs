//! When the manifests change.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::cli::input;

/// Writers that replace several files get this long to be done with all of them.
const CALM: Duration = Duration::from_millis(40);
/// A change is not put off for longer, however busy the directory is.
const AT_MOST: Duration = Duration::from_millis(250);
/// Unless a file is still being written, which gets this long.
const WRITING: Duration = Duration::from_secs(2);
/// Where the kernel tells nothing (some network and container file systems, a symbolic link that is turned elsewhere), files are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// A file that was written to is whole.
const CLOSED: EventKind = EventKind::Access(AccessKind::Close(AccessMode::Write));

/// Watches files and directories.
pub(super) struct Watch {
    paths: Vec<PathBuf>,
    recursive: bool,
    watcher: Option<RecommendedWatcher>,
    events: UnboundedReceiver<notify::Event>,
    /// Files that were written to and not closed since.
    unfinished: BTreeSet<PathBuf>,
    /// Whether something has happened that was not looked at.
    told: bool,
    /// What the files looked like when they were last reported.
    seen: Vec<Look>,
}

/// What can be seen of a file without reading it: which one it is, and when it last changed, its permissions included.
type Look = (PathBuf, Option<(u64, i64, i64)>);

impl Watch {
    /// Begins to watch. Changes from here on are seen.
    pub(super) fn new(paths: Vec<PathBuf>, recursive: bool) -> Watch {
        let (sender, events) = unbounded_channel();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // An error is an event too: something was missed.
            let event = event.unwrap_or_default();
            if !event.kind.is_access() || event.kind == CLOSED {
                let _ = sender.send(event);
            }
        });
        let mut watch = Watch {
            paths,
            recursive,
            watcher: watcher.ok(),
            events,
            unfinished: BTreeSet::new(),
            told: false,
            seen: Vec::new(),
        };
        watch.arm();
        watch.seen = watch.look();
        watch
    }

    /// Waits for the next change, and until the files are calm.
    pub(super) async fn changed(&mut self) {
        loop {
            // Whoever gives up waiting in between waits again: nothing that was told is forgotten.
            if !self.told {
                self.told = timeout(LOOK, self.next()).await.is_ok();
            }
            if self.told {
                self.calm().await;
            }
            self.told = false;
            let now = self.look();
            if now != self.seen {
                self.seen = now;
                // A directory or a link may be another one by now.
                self.arm();
                return;
            }
        }
    }

    async fn calm(&mut self) {
        let begun = Instant::now();
        loop {
            let latest = begun + if self.unfinished.is_empty() { AT_MOST } else { WRITING };
            let pause = if self.unfinished.is_empty() { CALM } else { WRITING };
            let until = latest.min(Instant::now() + pause);
            if timeout_at(until, self.next()).await.is_err() || Instant::now() >= latest {
                return self.unfinished.clear();
            }
        }
    }

    /// Waits for something to happen.
    async fn next(&mut self) {
        let Some(event) = self.events.recv().await else {
            // No watcher: only looking helps.
            return sleep(LOOK * 2).await;
        };
        for path in event.paths {
            let is_ours = input::is_manifest(&path) || self.paths.iter().any(|own| own.file_name() == path.file_name());
            match event.kind {
                EventKind::Modify(ModifyKind::Data(_)) if is_ours => self.unfinished.insert(path),
                _ => self.unfinished.remove(&path),
            };
        }
    }

    fn arm(&mut self) {
        let Some(watcher) = &mut self.watcher else { return };
        let mode = match self.recursive {
            true => RecursiveMode::Recursive,
            false => RecursiveMode::NonRecursive,
        };
        for path in &self.paths {
            // A file is renamed into place: its directory knows.
            let (directory, mode) = match path.is_dir() {
                true => (path.as_path(), mode),
                false => (parent(path), RecursiveMode::NonRecursive),
            };
            let _ = watcher.unwatch(directory);
            let _ = watcher.watch(directory, mode);
        }
    }

    fn look(&self) -> Vec<Look> {
        let files = self
            .paths
            .iter()
            .flat_map(|path| input::files(path, self.recursive).unwrap_or_default());
        files
            .map(|file| {
                let look = fs::metadata(&file).ok();
                let look = look.map(|metadata| (metadata.ino(), metadata.ctime(), metadata.ctime_nsec()));
                (file, look)
            })
            .collect()
    }
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests;
