//! A container of `envoy/compose.yaml`, as `make compose-test` has brought it up.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::http::get;
use super::process::{Process, Stopped};

/// The directory of rules that the project's Envoy follows. Where there is none, scenarios run on this machine.
pub fn rules() -> Option<PathBuf> {
    std::env::var_os("COMPOSE_RULES").map(PathBuf::from)
}

#[derive(Clone)]
pub struct Container(String);

impl Container {
    /// A service's, of the project that `COMPOSE_PROJECT_NAME` names.
    pub fn of(service: &str) -> Self {
        let project = std::env::var("COMPOSE_PROJECT_NAME").unwrap();
        let project = format!("label=com.docker.compose.project={project}");
        let service = format!("label=com.docker.compose.service={service}");
        let id = docker(&["ps", "--quiet", "--filter", &project, "--filter", &service]);
        let id = id.trim();
        assert!(!id.is_empty(), "no container has {service}");
        Self(id.to_owned())
    }

    /// Where a port of it is published.
    pub fn published(&self, port: u16) -> SocketAddr {
        docker(&["port", &self.0, &port.to_string()]).trim().parse().unwrap()
    }

    /// The JSON objects among the lines that it has written to its standard output so far.
    pub fn log(&self) -> Vec<Value> {
        let lines = docker(&["logs", &self.0]);
        lines
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// What it says, from its start on and for as long as it runs, as the process's own.
    pub fn follow(&self, directory: &Path) -> Process {
        let arguments = ["logs", "--follow", &self.0];
        Process::start("switchyard", Path::new("docker"), arguments, directory)
    }

    /// How many changes `switchyard run` has applied in it, as soon as the last is live.
    pub async fn changes(&self) -> usize {
        let begin = Instant::now();
        loop {
            let answer = get("status", "/status").try_send(self.published(9902)).await;
            let status = answer.map(|answer| answer.json());
            if let Ok(status) = &status
                && status["state"] == "live"
            {
                return usize::try_from(status["change"].as_u64().unwrap()).unwrap();
            }
            assert!(begin.elapsed() < Duration::from_secs(60), "{status:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Stands still until the result is dropped.
    pub fn pause(&self) -> Stopped {
        docker(&["pause", &self.0]);
        let id = self.0.clone();
        Stopped::new(move || drop(docker(&["unpause", &id])))
    }
}

/// What it writes to its standard output.
pub fn docker(arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = Command::new("docker").args(arguments).output().unwrap();
    let stderr = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "docker {}: {stderr}", arguments.join(" "));
    String::from_utf8(stdout).unwrap()
}
