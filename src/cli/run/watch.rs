//! When the manifests change.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::cli::input;

/// Writers that replace several files get this long to be done with all of them.
const CALM: Duration = Duration::from_millis(40);
/// A change is not put off for longer, however busy the directory is.
const AT_MOST: Duration = Duration::from_millis(250);
/// Where the kernel tells nothing (some network and container file systems, a symbolic link that is turned elsewhere), files are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Watches files and directories.
pub(super) struct Watch {
    paths: Vec<PathBuf>,
    recursive: bool,
    watcher: Option<RecommendedWatcher>,
    events: UnboundedReceiver<()>,
    /// Whether something has happened that was not looked at.
    told: bool,
    /// What the files looked like when they were last reported.
    seen: Vec<Look>,
}

/// What can be seen of a file without reading it.
type Look = (PathBuf, Option<(u64, u64, SystemTime)>);

impl Watch {
    /// Begins to watch. Changes from here on are seen.
    pub(super) fn new(paths: Vec<PathBuf>, recursive: bool) -> Watch {
        let (sender, events) = unbounded_channel();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if !matches!(
                event,
                Ok(notify::Event {
                    kind: notify::EventKind::Access(_),
                    ..
                })
            ) {
                let _ = sender.send(());
            }
        });
        let mut watch = Watch {
            paths,
            recursive,
            watcher: watcher.ok(),
            events,
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
                self.told = timeout(LOOK, next(&mut self.events)).await.is_ok();
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
        let latest = Instant::now() + AT_MOST;
        while timeout_at(latest.min(Instant::now() + CALM), next(&mut self.events))
            .await
            .is_ok()
            && Instant::now() < latest
        {}
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
                let metadata = fs::metadata(&file).ok();
                let look =
                    metadata.and_then(|metadata| Some((metadata.ino(), metadata.len(), metadata.modified().ok()?)));
                (file, look)
            })
            .collect()
    }
}

async fn next(events: &mut UnboundedReceiver<()>) {
    if events.recv().await.is_none() {
        // No watcher: only looking helps.
        sleep(LOOK * 2).await;
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
