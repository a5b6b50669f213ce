//! An Envoy of the test's own.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::admin::Admin;
use super::process::Process;

/// A running Envoy with one worker.
pub struct Envoy {
    pub admin: Admin,
    pub process: Process,
}

/// Envoy as `make` installs it, or the one that `ENVOY` names.
pub fn program() -> PathBuf {
    match std::env::var_os("ENVOY") {
        Some(envoy) if !envoy.is_empty() => envoy.into(),
        _ => installed(),
    }
}

fn installed() -> PathBuf {
    let envoy = Path::new(env!("CARGO_MANIFEST_DIR")).join(".envoy/envoy");
    assert!(
        envoy.exists(),
        "{} is missing: `make envoy` installs it, or ENVOY names another",
        envoy.display()
    );
    envoy
}

impl Envoy {
    /// Starts it with a configuration, in a directory, and waits until it is live.
    pub async fn start(configuration: &Value, directory: &Path) -> Self {
        let (bootstrap, address) = (directory.join("envoy.json"), directory.join("admin-address"));
        fs::write(&bootstrap, configuration.to_string()).unwrap();
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let arguments = [
            "--config-path",
            &text(&bootstrap),
            "--admin-address-path",
            &text(&address),
            "--concurrency",
            "1",
            "--use-dynamic-base-id",
            "--file-flush-interval-msec",
            "50",
        ];
        let mut process = Process::start("envoy", &program(), arguments, directory);
        let begin = Instant::now();
        loop {
            process.assert_running();
            let written = fs::read_to_string(&address).unwrap_or_default();
            if let Ok(address) = written.trim().parse()
                && Admin(address).is_live().await
            {
                return Self {
                    admin: Admin(address),
                    process,
                };
            }
            assert!(begin.elapsed() < Duration::from_secs(20), "Envoy does not get live");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
