//! The sample services and `switchyard run`, which end with the demo.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

/// The sample services, all in one process.
pub struct Services(#[expect(dead_code, reason = "it ends when it is dropped")] Child);

impl Services {
    /// Starts services, and waits until all of them listen.
    pub async fn start(services: &[String], logs: &Path) -> Result<Self> {
        let mut command = Command::new(beside("sample-services")?);
        command.arg("--log-dir").arg(logs);
        for service in services {
            command.args(["--service", service]);
        }
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("no output")?).lines();
        while let Some(line) = lines.next_line().await? {
            if line == "ready" {
                return Ok(Services(child));
            }
        }
        bail!("the sample services ended: {}", child.wait().await?)
    }
}

/// `switchyard run`, with Envoy under it.
pub struct Run {
    child: Child,
    events: Lines<BufReader<ChildStderr>>,
    live: u64,
}

/// What `switchyard run` tells.
#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Event {
    Starting {},
    Live {
        change: u64,
    },
    Finding {
        severity: String,
        code: String,
        object: String,
        path: String,
        message: String,
    },
    ChangeRefused {
        reason: String,
    },
    /// A line of Envoy's log.
    Envoy {
        level: String,
        message: String,
    },
}

impl Run {
    /// Starts it on a directory of manifests, and waits until they are live.
    pub async fn start(manifests: &Path, callers: &Path, wasm: &Path, admin: &str) -> Result<Self> {
        let mut command = Command::new(beside("switchyard")?);
        command
            .arg("run")
            .arg("-f")
            .arg(manifests)
            .arg("--callers")
            .arg(callers)
            .arg("--wasm")
            .arg(wasm)
            .args(["--admin", admin]);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let events = BufReader::new(child.stderr.take().context("no output")?).lines();
        let mut run = Run { child, events, live: 0 };
        run.changed().await?;
        Ok(run)
    }

    /// Waits until the next change is live.
    pub async fn changed(&mut self) -> Result<()> {
        tokio::time::timeout(Duration::from_secs(20), self.next_change())
            .await
            .context("the change was not live within 20 s")?
    }

    async fn next_change(&mut self) -> Result<()> {
        while let Some(line) = self.events.next_line().await? {
            match serde_saphyr::from_str(&line) {
                Ok(Event::Live { change }) if change > self.live => {
                    self.live = change;
                    return Ok(());
                }
                Ok(Event::Starting {} | Event::Live { .. }) => {}
                Ok(Event::Finding {
                    severity,
                    code,
                    object,
                    path,
                    message,
                }) => {
                    println!("   {severity}[{code}]: {object} {path}: {message}");
                }
                // Its warnings say what the findings said.
                Ok(Event::Envoy { level, .. }) if level == "warning" => {}
                Ok(Event::Envoy { level, message }) => eprintln!("   envoy {level}: {message}"),
                Ok(Event::ChangeRefused { reason }) => bail!("{reason}"),
                _ => eprintln!("{line}"),
            }
        }
        bail!("switchyard run ended: {}", self.child.wait().await?)
    }

    /// Asks it to drain and leave, and waits until it has.
    pub async fn stop(mut self) -> Result<()> {
        if let Some(id) = self.child.id() {
            Command::new("kill").arg(id.to_string()).status().await?;
        }
        tokio::time::timeout(Duration::from_secs(10), self.child.wait())
            .await
            .context("switchyard run did not end")??;
        Ok(())
    }
}

/// A program that was built into the demo's own directory.
fn beside(name: &str) -> Result<std::path::PathBuf> {
    let own = std::env::current_exe()?;
    let path = own.parent().context("no directory")?.join(name);
    if !path.exists() {
        bail!("{} is missing; `make build` makes it", path.display());
    }
    Ok(path)
}
