//! The command, as a user runs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::Pid;
use serde_json::Value;
use tempfile::TempDir;

use super::admin::{Admin, Stats};
use super::container::Container;
use super::http::get;
use super::process::{Process, Stopped, children};

/// A machine that has much else to do is slow to compile the filter.
const PATIENCE: Duration = Duration::from_secs(60);

const MACHINES: &str = "wasm.envoy.wasm.runtime.v8.active";

/// `switchyard run` over a directory of manifests.
pub struct Switchyard {
    pub admin: Admin,
    pub process: Process,
    /// Where it runs, if not here.
    container: Option<Container>,
    /// V8's machines at the start: one for each thread and the one they are copied from. Not known of an Envoy that served others before.
    machines: Option<u64>,
    applied: usize,
    /// What it follows.
    manifests: PathBuf,
    directory: TempDir,
}

/// The filter's release build.
pub fn wasm() -> PathBuf {
    let beside = Path::new(env!("CARGO_BIN_EXE_switchyard"))
        .parent()
        .and_then(Path::parent)
        .unwrap();
    let wasm = std::env::var_os("SWITCHYARD_WASM")
        .map_or_else(|| beside.join("wasm32-wasip1/release/switchyard.wasm"), PathBuf::from);
    assert!(wasm.exists(), "{} is missing: `make wasm` builds it", wasm.display());
    wasm
}

impl Switchyard {
    /// Starts it with who calls and with the first manifests, and waits until they are live. One worker, and 8 s to drain.
    pub async fn start(callers: &str, manifests: &[String]) -> Self {
        let names: Vec<String> = (0..manifests.len()).map(file_name).collect();
        let files: Vec<(&str, &String)> = names.iter().map(String::as_str).zip(manifests).collect();
        Self::with(callers, files, &["--concurrency=1", "--drain-time=8"]).await
    }

    /// As [`start`](Self::start), with files of these names and with these arguments.
    pub async fn with<'a>(
        callers: &str,
        manifests: impl IntoIterator<Item = (&'a str, &'a String)>,
        arguments: &[&str],
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let followed = path("manifests");
        fs::create_dir(&followed).unwrap();
        fs::write(path("callers.yaml"), callers).unwrap();
        let mut applied = 0;
        for (name, manifest) in manifests {
            fs::write(followed.join(name), manifest).unwrap();
            applied += 1;
        }
        let own = [
            "run".into(),
            "--filename".into(),
            followed.clone(),
            "--callers".into(),
            path("callers.yaml"),
            "--wasm".into(),
            wasm(),
            "--dir".into(),
            path("envoy"),
            "--admin=127.0.0.1:0".into(),
            "--ready=127.0.0.1:0".into(),
            "--events=json".into(),
        ];
        let arguments = own.into_iter().chain(arguments.iter().map(PathBuf::from));
        let program = Path::new(env!("CARGO_BIN_EXE_switchyard"));
        let mut switchyard = Self {
            admin: Admin(([127, 0, 0, 1], 0).into()),
            process: Process::start("switchyard", program, arguments, directory.path()),
            container: None,
            machines: None,
            applied,
            manifests: followed,
            directory,
        };
        let live = switchyard.change(1).await;
        switchyard.admin = Admin(live["admin"].as_str().unwrap().parse().unwrap());
        switchyard.machines = Some(switchyard.admin.stats().await.get(MACHINES));
        switchyard
    }

    /// The one in a container. It follows `rules`, and these manifests take the place of those of the test before.
    pub async fn in_container(container: Container, rules: PathBuf, manifests: &[String]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut switchyard = Self {
            admin: Admin(container.published(9901)),
            process: container.follow(directory.path()),
            container: Some(container.clone()),
            machines: None,
            applied: 0,
            manifests: rules,
            directory,
        };
        let before = container.changes().await;
        switchyard.change(before).await;
        switchyard.put(&manifests.join("\n---\n"));
        switchyard.change(before + 1).await;
        switchyard
    }

    /// Adds a manifest as `kubectl apply` does: what it says of an object counts, whatever was applied before. Waits until it is live.
    pub async fn apply(&mut self, manifest: &str) {
        let before = self.events("live").len();
        self.put(manifest);
        self.change(before + 1).await;
    }

    /// Where the manifests lie.
    pub fn manifests(&self) -> PathBuf {
        self.manifests.clone()
    }

    /// Writes a manifest as [`apply`](Self::apply) does, and does not wait.
    pub fn put(&mut self, manifest: &str) {
        self.write(&file_name(self.applied), manifest);
        self.applied += 1;
    }

    /// Writes a file among the manifests, whole and renamed into place.
    pub fn write(&self, name: &str, manifest: &str) {
        let unfinished = self.manifests.join(".unfinished");
        fs::write(&unfinished, manifest).unwrap();
        fs::rename(unfinished, self.manifests.join(name)).unwrap();
    }

    /// Waits for so many changes to have gone live, and returns the last one's event.
    async fn change(&mut self, count: usize) -> Value {
        let begin = Instant::now();
        loop {
            self.process.assert_running();
            if let Some(live) = self.events("live").into_iter().nth(count - 1) {
                return live;
            }
            assert!(begin.elapsed() < PATIENCE, "change {count} is not live");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// What it told of one sort so far.
    pub fn events(&self, sort: &str) -> Vec<Value> {
        let said = self.process.stderr();
        let events = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        events.filter(|event| event["event"] == sort).collect()
    }

    /// The status that its own address answers `/ready` with.
    pub async fn readiness(&self) -> u16 {
        let address = self.events("live")[0]["ready"].as_str().unwrap().parse().unwrap();
        get("ready", "/ready").send(address).await.status.as_u16()
    }

    /// The access log of requests for a host, as soon as it has so many lines.
    pub async fn access_log(&self, host: &str, lines: usize) -> Vec<Value> {
        let begin = Instant::now();
        loop {
            let said = self.process.stdout();
            // The last line may be half written.
            let whole = said.split_inclusive('\n').filter(|line| line.ends_with('\n'));
            let log = whole.map(|line| serde_json::from_str::<Value>(line).unwrap());
            let log: Vec<Value> = log.filter(|line| line["authority"] == host).collect();
            if log.len() >= lines {
                return log;
            }
            assert!(begin.elapsed() < PATIENCE, "only {} lines of {lines}", log.len());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Overwrites the filter's configuration behind the command's back, and waits until Envoy has refused it.
    pub async fn push_wrong(&self, plugin: &str) {
        let refused = |stats: &Stats| stats.sum("extension_config_discovery.http_filter.", ".update_rejected");
        let before = refused(&self.admin.stats().await);
        let files: Vec<PathBuf> = fs::read_dir(self.directory.path().join("envoy/extensions"))
            .unwrap()
            .map(|file| file.unwrap().path())
            .collect();
        for file in &files {
            let mut response: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
            response["version_info"] = format!("wrong {before}").into();
            response["resources"][0]["typed_config"]["config"]["configuration"]["value"] = plugin.into();
            let unfinished = self.directory.path().join("unfinished");
            fs::write(&unfinished, response.to_string()).unwrap();
            fs::rename(unfinished, file).unwrap();
        }
        let all = before + files.len() as u64;
        self.admin.until("is it refused", |stats| refused(stats) == all).await;
    }

    /// Envoy's process, on this machine.
    pub fn envoy(&self) -> Pid {
        let children = children(self.process.id());
        assert_eq!(children.len(), 1, "of the command");
        children[0]
    }

    /// What Envoy keeps in memory, in KB.
    pub fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.envoy().as_raw_nonzero())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim_end_matches("kB").trim().parse().unwrap()
    }

    /// Envoy stands still until the result is dropped.
    pub fn stop_envoy(&self) -> Stopped {
        match &self.container {
            Some(container) => container.pause(),
            None => Stopped::process(self.envoy()),
        }
    }

    /// The worker that served so far still does, in the machine it had, and nothing that went before is left open.
    pub async fn assert_unharmed(&mut self) {
        self.process.assert_running();
        assert!(self.events("envoy-ended").is_empty(), "Envoy was started again");
        let is_quiet = |stats: &Stats| {
            stats.sum("http.", ".downstream_rq_active") == stats.get("http.admin.downstream_rq_active")
                && stats.sum("cluster.", ".upstream_rq_active") == 0
                && stats.get("wasmcustom.switchyard_active_faults") == 0
                && self.machines.is_none_or(|machines| stats.get(MACHINES) == machines)
        };
        let stats = self.admin.until("is every stream closed", is_quiet).await;
        assert_eq!(stats.sum("wasm.", ".vm_reload_success"), 0);
        assert_eq!(stats.sum("wasm.", ".vm_reload_failure"), 0);
        assert_eq!(stats.sum("wasm.", ".vm_reload_backoff"), 0);
    }
}

/// Files count in the order of their names.
fn file_name(number: usize) -> String {
    format!("{number:03}.yaml")
}
