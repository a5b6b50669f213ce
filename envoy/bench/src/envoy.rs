//! The Envoy that is measured: started, put on a core of its own, and asked for its worker's clock.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, setpriority_process};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde_json::Value;
use tempfile::TempDir;

/// A running Envoy.
pub struct Envoy {
    child: Child,
    admin: SocketAddr,
    /// Its files; gone with it.
    pub directory: TempDir,
}

/// Large configurations take their time.
const PATIENCE: Duration = Duration::from_secs(60);

impl Envoy {
    /// Starts `program` in a directory with a configuration and so many workers, and waits until it is live. With more than one core, the
    /// worker has the first one to itself.
    pub fn start(program: &Path, configuration: &Value, directory: TempDir, workers: usize) -> Result<Self> {
        let path = |name: &str| directory.path().join(name);
        fs::write(path("envoy.json"), configuration.to_string())?;
        let log = fs::File::create(path("log"))?;
        let mut command = Command::new(program);
        command.arg("--config-path").arg(path("envoy.json"));
        command.arg("--admin-address-path").arg(path("admin"));
        command.args([
            "--concurrency",
            &workers.to_string(),
            "--use-dynamic-base-id",
            "--log-level",
            "warning",
        ]);
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn();
        let child = child.with_context(|| format!("{} does not start; `make envoy` installs it", program.display()))?;
        let mut envoy = Envoy {
            child,
            admin: ([127, 0, 0, 1], 0).into(),
            directory,
        };
        let begin = Instant::now();
        while !envoy.is_live() {
            if begin.elapsed() > PATIENCE || envoy.child.try_wait()?.is_some() {
                bail!("Envoy does not get live; it says: {}", envoy.log());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        envoy.pin()?;
        Ok(envoy)
    }

    /// What it has said.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    fn is_live(&mut self) -> bool {
        let written = fs::read_to_string(self.directory.path().join("admin")).unwrap_or_default();
        let Ok(address) = written.trim().parse() else {
            return false;
        };
        self.admin = address;
        self.admin("/ready").is_ok_and(|body| body.contains("LIVE"))
    }

    /// What its admin interface answers.
    pub fn admin(&self, path: &str) -> Result<String> {
        let mut stream = TcpStream::connect(self.admin)?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n"
        )?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        if !text.starts_with("HTTP/1.1 200") {
            bail!("Envoy's admin interface: {}", text.lines().next().unwrap_or_default());
        }
        Ok(text)
    }

    /// A statistic; zero where there is none of this name.
    pub fn stat(&self, name: &str) -> Result<u64> {
        let text = self.admin(&format!("/stats?filter=^{name}$"))?;
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        Ok(value.and_then(|value| value.trim().parse().ok()).unwrap_or_default())
    }

    /// Where a listener listens.
    pub fn listener(&self, name: &str) -> Result<SocketAddr> {
        let text = self.admin("/listeners")?;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix("::"));
        let line = line.with_context(|| format!("Envoy has no listener {name}"))?;
        Ok(line.trim().parse()?)
    }

    /// How long its worker has run, without waiting.
    pub fn worker_clock(&self) -> Result<Duration> {
        let tasks = self.tasks()?;
        let worker = tasks
            .iter()
            .find(|task| task.is_worker)
            .context("Envoy has no worker")?;
        let clock = fs::read_to_string(worker.path.join("schedstat"))?;
        let nanos = clock.split(' ').next().unwrap_or_default().parse()?;
        Ok(Duration::from_nanos(nanos))
    }

    /// The memory it has, in bytes.
    pub fn resident(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes: u64 = line.context("no memory")?.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes * 1024)
    }

    /// The worker gets the first core; all other threads get the last, where they give way to the load.
    pub fn pin(&self) -> Result<()> {
        let Some((first, last)) = cores()? else {
            return Ok(());
        };
        for task in self.tasks()? {
            sched_setaffinity(Some(task.id), if task.is_worker { &first } else { &last })?;
            if !task.is_worker {
                setpriority_process(Some(task.id), 19)?;
            }
        }
        Ok(())
    }

    fn tasks(&self) -> Result<Vec<Task>> {
        let mut tasks = Vec::new();
        for entry in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()?.parse().ok());
            let Some(id) = name.and_then(Pid::from_raw) else {
                continue;
            };
            let is_worker = fs::read_to_string(path.join("comm"))?.starts_with("wrk:");
            tasks.push(Task { id, path, is_worker });
        }
        Ok(tasks)
    }
}

struct Task {
    id: Pid,
    path: PathBuf,
    is_worker: bool,
}

impl Drop for Envoy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Keeps this thread away from Envoy's worker.
pub fn pin_load() -> Result<()> {
    if let Some((_, last)) = cores()? {
        sched_setaffinity(None, &last)?;
    }
    Ok(())
}

/// The first and the last core that this process might use when it began; none if that is one.
fn cores() -> Result<Option<(CpuSet, CpuSet)>> {
    static AT_FIRST: OnceLock<(Option<usize>, Option<usize>)> = OnceLock::new();
    let all = sched_getaffinity(None)?;
    let ends = AT_FIRST.get_or_init(|| {
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| all.is_set(*core));
        (cores.next(), cores.next_back())
    });
    let (Some(first), Some(last)) = *ends else {
        return Ok(None);
    };
    let only = |core| {
        let mut set = CpuSet::new();
        set.set(core);
        set
    };
    Ok(Some((only(first), only(last))))
}
