//! A process that ends with the test, and what it said.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long it may take to end when asked to.
const PATIENCE: Duration = Duration::from_secs(10);

/// Dropping it asks the process to end, as Ctrl-C would, and ends it if it does not. If the test has failed, it prints what the process
/// said.
pub struct Process {
    name: &'static str,
    child: Child,
    directory: PathBuf,
}

impl Process {
    /// Starts `program`; its outputs go to files in `directory`.
    pub fn start<A: AsRef<OsStr>>(
        name: &'static str,
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
        directory: &Path,
    ) -> Self {
        let file = |stream| File::create(directory.join(format!("{name}.{stream}"))).unwrap();
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(file("stdout"))
            .stderr(file("stderr"))
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let directory = directory.to_owned();
        Self { name, child, directory }
    }

    /// What it said so far on its standard output.
    pub fn stdout(&self) -> String {
        self.said("stdout")
    }

    /// What it said so far on its standard error.
    pub fn stderr(&self) -> String {
        self.said("stderr")
    }

    fn said(&self, stream: &str) -> String {
        let bytes = fs::read(self.directory.join(format!("{}.{stream}", self.name))).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub fn id(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Fails the test if it has ended.
    pub fn assert_running(&mut self) {
        if let Some(status) = self.child.try_wait().unwrap() {
            panic!("{} has ended with {status}", self.name);
        }
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begin.elapsed() < 2 * PATIENCE, "{} does not end", self.name);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Asks it to end, again and again as impatient people do, and waits until it has; none if it has not after 10 s.
    pub fn stop(&mut self) -> Option<ExitStatus> {
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(status);
            }
            let _ = kill_process(self.id(), Signal::TERM);
            thread::sleep(Duration::from_millis(100));
        }
        None
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let status = self.stop();
        if status.is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if thread::panicking() {
            eprintln!("--- {} said:\n{}{}---", self.name, self.stdout(), self.stderr());
        } else {
            assert!(status.is_some(), "{} did not end when asked to", self.name);
        }
    }
}

/// The processes that one started and that still run.
pub fn children(parent: Pid) -> Vec<Pid> {
    let tasks = fs::read_dir(format!("/proc/{}/task", parent.as_raw_nonzero())).unwrap();
    let of_task = |task: fs::DirEntry| fs::read_to_string(task.path().join("children")).unwrap_or_default();
    let lists: Vec<String> = tasks.flatten().map(of_task).collect();
    let ids = lists.iter().flat_map(|list| list.split_whitespace());
    ids.filter_map(|id| Pid::from_raw(id.parse().ok()?)).collect()
}

/// Something stands still until this is dropped.
pub struct Stopped(Box<dyn Fn()>);

impl Stopped {
    /// By what lets it go on.
    pub fn new(go_on: impl Fn() + 'static) -> Self {
        Self(Box::new(go_on))
    }

    pub fn process(process: Pid) -> Self {
        kill_process(process, Signal::STOP).unwrap();
        Self::new(move || {
            let _ = kill_process(process, Signal::CONT);
        })
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        (self.0)();
    }
}
