//! `make bench`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use bench::bench::Bench;
use bench::envoy::pin_load;
use bench::measure::Plan;
use bench::results::Results;
use bench::shape::Shape;
use bench::site::Programs;
use bench::{configuration, features, plot, report, routes};
use clap::{Parser, ValueEnum};

/// Measures switchyard.wasm against the routes that istiod makes, on a real Envoy with one worker.
#[derive(Debug, Parser)]
struct Arguments {
    /// Measure users and paths at 2, 1,000 and 10,000 rules, and the configuration of users
    #[arg(long)]
    quick: bool,
    /// Measure these parts only
    #[arg(long, value_delimiter = ',', default_values_t = [Part::Routes, Part::Features, Part::Configuration])]
    only: Vec<Part>,
    /// The shapes to measure, of users, paths, mixed, hosts, drawn
    #[arg(long, value_delimiter = ',')]
    shapes: Vec<String>,
    /// The numbers of rules to measure
    #[arg(long, value_delimiter = ',')]
    rules: Vec<usize>,
    /// How often each side has its turn
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// How long a turn takes, in milliseconds
    #[arg(long, default_value_t = 200)]
    turn: u64,
    /// What the shape `drawn` is drawn from; by default the time
    #[arg(long)]
    seed: Option<u64>,
    /// Envoy's program
    #[arg(long, env = "ENVOY", default_value = ".envoy/envoy")]
    envoy: PathBuf,
    /// The directory of switchyard.wasm and noop.wasm
    #[arg(long, default_value = "target/wasm32-wasip1/release")]
    wasm: PathBuf,
    /// The directory for bench.json and bench.svg
    #[arg(long, default_value = "target")]
    out: PathBuf,
}

/// A part of what is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// CPU a request by shape and number of rules
    Routes,
    /// Mirrors, headers, delays, latency under load
    Features,
    /// Loading and changing a configuration
    Configuration,
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.to_possible_value().as_ref().map_or("", |value| value.get_name()))
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let seconds = SystemTime::UNIX_EPOCH.elapsed()?.as_secs();
    let seed = arguments.seed.unwrap_or(seconds);
    let programs = Programs {
        envoy: arguments.envoy.clone(),
        wasm: fs::canonicalize(arguments.wasm.join("switchyard.wasm"))
            .context("switchyard.wasm: `make wasm` builds it")?,
        noop: fs::canonicalize(arguments.wasm.join("noop.wasm")).context("noop.wasm: `make bench` builds it")?,
    };
    let mut results = Results {
        date: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        envoy: version(&programs.envoy)?,
        seed,
        wasm_kb: fs::metadata(&programs.wasm)?.len() as f64 / 1e3,
        routes: Vec::new(),
        features: None,
        configuration: Vec::new(),
        targets: Vec::new(),
    };
    let plan = Plan {
        rounds: arguments.rounds,
        turn: Duration::from_millis(arguments.turn),
        connections: 16,
    };
    let shapes = arguments.shapes(seed)?;
    let counts = match (&*arguments.rules, arguments.quick) {
        ([], true) => &[2, 1_000, 10_000][..],
        ([], false) => &[2, 100, 1_000, 10_000],
        (counts, _) => counts,
    };
    pin_load()?;
    let mut bench = Bench::new(programs, plan, arguments.quick)?;
    for part in &arguments.only {
        match part {
            Part::Routes => results.routes = routes::measure(&mut bench, &shapes, counts)?,
            Part::Features => results.features = Some(features::measure(&mut bench)?),
            Part::Configuration => {
                let many = counts.iter().max().copied().unwrap_or_default();
                let shapes = if arguments.quick { shapes.get(..1) } else { None }.unwrap_or(&shapes);
                for shape in shapes {
                    results
                        .configuration
                        .push(configuration::measure(&mut bench, *shape, many)?);
                }
            }
        }
    }
    bench.done();
    results.judge();
    fs::create_dir_all(&arguments.out)?;
    fs::write(arguments.out.join("bench.json"), serde_json::to_vec_pretty(&results)?)?;
    if !results.routes.is_empty() {
        fs::write(arguments.out.join("bench.svg"), plot::svg(&results))?;
    }
    print!("{}", report::text(&results));
    println!(
        "\nall of it: {0}/bench.json, the picture: {0}/bench.svg",
        arguments.out.display()
    );
    Ok(())
}

impl Arguments {
    fn shapes(&self, seed: u64) -> Result<Vec<Shape>> {
        let all = [
            Shape::Users,
            Shape::Paths,
            Shape::Mixed,
            Shape::Hosts,
            Shape::Drawn(seed),
        ];
        if self.shapes.is_empty() {
            return Ok(all.into_iter().take(if self.quick { 2 } else { all.len() }).collect());
        }
        let named = |name: &String| all.into_iter().find(|shape| shape.name() == name);
        let shapes = self
            .shapes
            .iter()
            .map(|name| named(name).with_context(|| format!("there is no shape {name}")));
        shapes.collect()
    }
}

/// `Envoy 1.40.0`, out of `envoy  version: 9e55809.../1.40.0/Clean/RELEASE/BoringSSL`.
fn version(envoy: &PathBuf) -> Result<String> {
    let output = Command::new(envoy).arg("--version").output();
    let output = output.with_context(|| format!("{} does not start; `make envoy` installs it", envoy.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    match text
        .split_once("version: ")
        .and_then(|(_, version)| version.split('/').nth(1))
    {
        Some(version) => Ok(format!("Envoy {version}")),
        None => bail!("{} does not say its version", envoy.display()),
    }
}
