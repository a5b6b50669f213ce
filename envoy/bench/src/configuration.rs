//! What a new configuration costs the worker that serves meanwhile.
//!
//! The worker compiles it between two requests: how long that takes is a gap in service.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::{Value, json};
use switchyard::envoy::{Kind, Snapshot, path};

use crate::bench::Bench;
use crate::envoy::Envoy;
use crate::load::Pace;
use crate::measure::Series;
use crate::shape::{Rules, Shape};
use crate::site::{configuration, open};

/// Its figures for one shape.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The shape's name.
    pub shape: &'static str,
    /// How many rules.
    pub rules: usize,
    /// Kilobytes of the plugin's JSON.
    pub json_kb: f64,
    /// Milliseconds that the worker ran to take over the first such configuration.
    pub load_ms: Series,
    /// Milliseconds that it ran to take over one with another destination in one rule.
    pub change_ms: Series,
    /// The longest that a client waited while one rule changed, in milliseconds.
    pub gap_ms: Series,
    /// The same while nothing changed.
    pub calm_ms: Series,
    /// Megabytes that another worker takes for the filter.
    pub worker_mb: f64,
}

const NAME: &str = "bench";
const PATIENCE: Duration = Duration::from_secs(60);
/// Requests a second while a rule changes.
const RATE: f64 = 500.0;

/// Measures a shape.
pub fn measure(bench: &mut Bench, shape: Shape, count: usize) -> Result<Row> {
    let changes = if bench.quick { 3 } else { 5 };
    let rules = shape.rules(count, bench.load.ports());
    let few = shape.rules(2, bench.load.ports());
    let mut row = Row {
        shape: shape.name(),
        rules: count,
        json_kb: 0.0,
        load_ms: Series::default(),
        change_ms: Series::default(),
        gap_ms: Series::default(),
        calm_ms: Series::default(),
        worker_mb: 0.0,
    };
    let mut live = None;
    for _ in 0..2 {
        bench.says(&format!("{} {count}, from nothing", shape.name()));
        let mut fresh = Live::start(bench, shape, &few, 1)?;
        row.load_ms.0.push(fresh.push(bench, &rules.resources)?);
        row.json_kb = fresh.json_bytes as f64 / 1e3;
        live = Some(fresh);
    }
    let mut live = live.context("it has been started")?;
    let mut resources = rules.resources.clone();
    for change in 0..changes {
        bench.says(&format!("{} {count}, change {change}", shape.name()));
        change_one_rule(&mut resources)?;
        row.change_ms.0.push(live.push(bench, &resources)?);
    }
    let ask = few.asks.last().context("a rule")?;
    let address = live.envoy.listener(NAME)?;
    let mut clients = bench.load.connect(address, &ask.bytes(), 64, b"v1")?;
    let pace = Pace::Fixed {
        rate: RATE,
        spin: false,
    };
    for change in 0..changes {
        bench.says(&format!("{} {count}, change {change} under load", shape.name()));
        let calm = bench.load.run(&mut clients, pace, Duration::from_millis(500))?;
        row.calm_ms.0.push(calm.percentile(1.0)?);
        change_one_rule(&mut resources)?;
        let file = live.write(bench, &resources)?;
        let before = live.reloads()?;
        let begin = Instant::now();
        let time = Duration::from_millis(1500);
        let run = bench.load.run_while(&mut clients, pace, time, file)?;
        row.gap_ms.0.push(run.percentile(1.0)?);
        if live.reloads()? == before {
            bail!(
                "the change was not live after {:?}: {}",
                begin.elapsed(),
                live.envoy.log()
            );
        }
    }
    drop(live);
    row.worker_mb = memory(bench, shape, &rules)?;
    Ok(row)
}

/// Another worker's memory.
fn memory(bench: &mut Bench, shape: Shape, rules: &Rules) -> Result<f64> {
    let of = |workers| {
        let live = Live::start(bench, shape, rules, workers)?;
        live.envoy.resident()
    };
    let (one, three) = (of(1)?, of(3)?);
    Ok(three.saturating_sub(one) as f64 / 2.0 / 1e6)
}

/// Sends one of the rules in the middle to another subset.
fn change_one_rule(resources: &mut [Value]) -> Result<()> {
    let mut services: Vec<&mut Value> = resources
        .iter_mut()
        .filter(|object| object["kind"] == "VirtualService")
        .collect();
    let middle = services.len() / 2;
    let service = services.get_mut(middle).context("a VirtualService")?;
    let rules = service
        .pointer_mut("/spec/http")
        .and_then(Value::as_array_mut)
        .context("rules")?;
    let middle = rules.len() / 2;
    let rule = rules.get_mut(middle).context("a rule")?;
    let subset = &mut rule["route"][0]["destination"]["subset"];
    *subset = match subset.as_str() {
        Some("v1") => "v2",
        Some("v2") => "v3",
        _ => "v1",
    }
    .into();
    Ok(())
}

/// An Envoy that reads everything from files, as `switchyard run` has it.
struct Live {
    envoy: Envoy,
    version: usize,
    json_bytes: usize,
}

impl Live {
    fn start(bench: &Bench, shape: Shape, rules: &Rules, workers: usize) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let configuration = configuration(&rules.resources, &bench.programs.wasm, json!({}))?;
        let mut snapshot = configuration.snapshot(directory.path());
        // The others are Envoy's own affair: 20,000 of them take it 54 MB a worker, with our filter or without.
        snapshot.clusters.retain(|name, _| name == shape.v1());
        let mut listeners = std::mem::take(&mut snapshot.listeners);
        let (_, mut listener) = listeners.pop_first().context("a listener")?;
        let name = listener["name"].as_str().unwrap_or_default().to_owned();
        open(&mut listener, NAME)?;
        snapshot.listeners.insert(name, listener);
        for kind in Kind::ALL {
            write(&snapshot, kind, directory.path(), 0)?;
        }
        let bootstrap = configuration.dynamic_bootstrap(directory.path());
        let envoy = Envoy::start(&bench.programs.envoy, &bootstrap, directory, workers)?;
        let begin = Instant::now();
        while envoy.listener(NAME).is_err() {
            if begin.elapsed() > PATIENCE {
                bail!("the listener does not come: {}", envoy.log());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        envoy.pin()?;
        Ok(Live {
            envoy,
            version: 0,
            json_bytes: 0,
        })
    }

    /// Makes the filter's new configuration, and returns what puts it into place when called for the first time.
    fn write(&mut self, bench: &Bench, resources: &[Value]) -> Result<impl FnMut() -> Result<()> + use<>> {
        self.version += 1;
        let directory = self.envoy.directory.path().to_owned();
        let snapshot = configuration(resources, &bench.programs.wasm, json!({}))?.snapshot(&directory);
        let (name, extension) = snapshot.extensions.first_key_value().context("a filter")?;
        let plugin = extension
            .pointer("/typed_config/config/configuration/value")
            .and_then(Value::as_str);
        self.json_bytes = plugin.context("its configuration")?.len();
        let file = path(&directory, Kind::Extensions, name);
        let unfinished = directory.join("unfinished");
        fs::write(&unfinished, response(self.version, vec![extension.clone()]))?;
        let begin = Instant::now();
        let mut done = false;
        Ok(move || {
            if !done && begin.elapsed() > Duration::from_millis(200) {
                done = true;
                fs::rename(&unfinished, &file)?;
            }
            Ok(())
        })
    }

    /// Puts a new configuration of the filter into place, waits until it is live, and says how many milliseconds the worker ran for it.
    fn push(&mut self, bench: &Bench, resources: &[Value]) -> Result<f64> {
        let mut file = self.write(bench, resources)?;
        let (reloads, clock) = (self.reloads()?, self.envoy.worker_clock()?);
        let begin = Instant::now();
        while self.reloads()? == reloads {
            file()?;
            if begin.elapsed() > PATIENCE {
                bail!("the change does not come: {}", self.envoy.log());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        // The worker has its turn after the main thread; when it rests it is done.
        let mut last = self.envoy.worker_clock()?;
        loop {
            std::thread::sleep(Duration::from_millis(150));
            let now = self.envoy.worker_clock()?;
            if now - last < Duration::from_millis(1) {
                return Ok((now - clock).as_secs_f64() * 1e3);
            }
            last = now;
        }
    }

    fn reloads(&self) -> Result<u64> {
        let text = self
            .envoy
            .admin("/stats?filter=extension_config_discovery.*config_reload$")?;
        let value = text
            .lines()
            .find_map(|line| line.split_once("config_reload: "))
            .map(|(_, value)| value.trim());
        Ok(value.and_then(|value| value.parse().ok()).unwrap_or_default())
    }
}

fn write(snapshot: &Snapshot, kind: Kind, directory: &Path, version: usize) -> Result<()> {
    let resources = snapshot.of(kind);
    let single = matches!(kind, Kind::Clusters | Kind::Listeners);
    if single {
        return Ok(fs::write(
            path(directory, kind, ""),
            response(version, resources.values().cloned().collect()),
        )?);
    }
    for (name, resource) in resources {
        let file = path(directory, kind, name);
        fs::create_dir_all(file.parent().context("a directory")?)?;
        fs::write(file, response(version, vec![resource.clone()]))?;
    }
    Ok(())
}

fn response(version: usize, resources: Vec<Value>) -> String {
    json!({"version_info": version.to_string(), "resources": resources}).to_string()
}
