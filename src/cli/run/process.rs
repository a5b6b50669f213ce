//! The Envoy process.

use std::collections::VecDeque;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStderr, Command};
use tokio::task::JoinHandle;

use super::status::Reporter;
use crate::cli::Failure;

/// As many of its last lines as are told when Envoy dies.
const KEPT: usize = 20;

/// How Envoy is to be started.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) envoy: PathBuf,
    pub(super) bootstrap: PathBuf,
    /// Envoy writes there where its admin interface listens.
    pub(super) admin_address: PathBuf,
    pub(super) concurrency: Option<u32>,
    pub(super) drain_time: Duration,
    pub(super) log_level: String,
}

/// The last lines that Envoy wrote, by number.
#[derive(Debug, Clone, Default)]
pub(super) struct Log(Arc<Mutex<VecDeque<(u64, String)>>>);

impl Log {
    fn push(&self, line: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = lines.back().map_or(0, |(number, _)| number + 1);
        lines.push_back((number, line));
        if lines.len() > KEPT {
            lines.pop_front();
        }
    }

    /// The number that the next line will have.
    pub(super) fn mark(&self) -> u64 {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.back().map_or(0, |(number, _)| number + 1)
    }

    /// The lines from that number on.
    pub(super) fn since(&self, mark: u64) -> Vec<String> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = lines.iter().filter(|(number, _)| *number >= mark);
        recent.map(|(_, line)| line.clone()).collect()
    }
}

/// An Envoy that was started. It is killed when this is dropped.
pub(super) struct Process {
    child: Child,
    reader: Option<JoinHandle<()>>,
    pub(super) log: Log,
}

impl Process {
    pub(super) fn start(settings: &Settings, reporter: Reporter) -> Result<Process, Failure> {
        let mut command = Command::new(own_path());
        command
            .arg("bound-to-parent")
            .arg(&settings.envoy)
            .arg("--config-path")
            .arg(&settings.bootstrap)
            .arg("--admin-address-path")
            .arg(&settings.admin_address)
            .args(["--log-level", &settings.log_level, "--log-format", "%l %n: %v"])
            .args(["--drain-time-s", &settings.drain_time.as_secs().max(1).to_string()])
            // Istio's own routes have fields that Envoy deprecates, and it says so for each of them.
            .args(["--component-log-level", "misc:error"])
            .args(["--drain-strategy", "immediate", "--disable-hot-restart"]);
        if let Some(concurrency) = settings.concurrency {
            command.args(["--concurrency", &concurrency.to_string()]);
        }
        command.stdin(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        // A person's Ctrl-C is for us to hear, not for Envoy.
        let child = command.process_group(0).spawn();
        let mut child = child.map_err(|error| Failure::of(settings.envoy.display(), error))?;
        let log = Log::default();
        let reader = child
            .stderr
            .take()
            .map(|stderr| tokio::spawn(read(stderr, log.clone(), reporter)));
        Ok(Process { child, reader, log })
    }

    /// Waits until it has ended, and until its last line is read.
    pub(super) async fn ended(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await?;
        if let Some(reader) = self.reader.take() {
            // A child of Envoy's may still hold the pipe.
            let _ = tokio::time::timeout(Duration::from_millis(200), reader).await;
        }
        Ok(status)
    }

    /// Whether it has ended, without waiting for it.
    pub(super) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends it at once.
    pub(super) async fn kill(&mut self) {
        if self.child.start_kill().is_ok() {
            let _ = self.ended().await;
        }
    }
}

async fn read(stderr: ChildStderr, log: Log, reporter: Reporter) {
    let mut lines = BufReader::new(stderr).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        if line.is_empty() {
            continue;
        }
        reporter.envoy(&line);
        log.push(line);
    }
}

/// This very program, also when its file has been replaced since it was started.
fn own_path() -> PathBuf {
    match Path::new("/proc/self/exe") {
        link if link.exists() => link.to_owned(),
        _ => std::env::current_exe().unwrap_or_else(|_| "switchyard".into()),
    }
}

/// Becomes `program`, which the kernel then ends as soon as our parent does: an Envoy that outlived its supervisor would share its port with
/// the next one, and answer half of the requests by rules of the past.
pub(in crate::cli) fn bound_to_parent(program: &Path, args: &[std::ffi::OsString]) -> Failure {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM)) {
        return Failure::of("the parent's death signal", error);
    }
    let error = std::process::Command::new(program).args(args).exec();
    Failure::of(program.display(), error)
}
