//! Runs a scenario of `envoy/samples` on a real Envoy: applies its manifests one after the other, asks what they are about, and shows what
//! came back. Then it keeps running for a person to look around, unless `ONCE` is set.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use comfy_table::{Cell, CellAlignment, Color, Table, presets};
use indicatif::ProgressBar;

use ask::Answers;
use manifests::Manifests;
use processes::{Run, Services};
use scenario::{Scenario, Step};

mod ask;
mod manifests;
mod processes;
mod scenario;

const ADMIN: &str = "127.0.0.1:19901";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let name = std::env::args().nth(1).unwrap_or_else(|| "bookinfo".to_owned());
    let samples = Path::new("envoy/samples").join(&name);
    if !samples.is_dir() {
        bail!(
            "there is no scenario `{name}`; there are {}",
            names("envoy/samples")?.join(", ")
        );
    }
    let scenario = Scenario::read(&samples.join("scenario.yaml"))?;
    let work = tempfile::tempdir()?;
    let manifests = Manifests::new(&work.path().join("manifests"), &samples.join("services.yaml"))?;
    let logs = work.path().join("logs");
    std::fs::create_dir(&logs)?;

    let progress = ProgressBar::new_spinner().with_message("starting Envoy and the sample services");
    progress.enable_steady_tick(Duration::from_millis(100));
    let services = Services::start(&scenario.services, &logs).await?;
    let wasm = Path::new("target/wasm32-wasip1/release/switchyard.wasm");
    let directory = work.path().join("manifests");
    let mut run = Run::start(&directory, &samples.join("callers.yaml"), wasm, ADMIN).await?;
    progress.finish_and_clear();

    println!("\n{}\n", scenario.title);
    for step in &scenario.steps {
        let files: Vec<PathBuf> = step
            .apply
            .iter()
            .map(|file| Path::new("testdata/scenarios").join(&name).join(file))
            .collect();
        if !files.is_empty() && manifests.apply(&files)? {
            run.changed().await?;
        }
        println!("{}", show(step, &logs).await?);
    }
    if std::env::var_os("ONCE").is_none() {
        if let Some(page) = &scenario.page {
            println!("The page:        {page}");
        }
        println!("Envoy's admin:   http://{ADMIN}");
        println!("The manifests:   {} (change them and see)", directory.display());
        println!("Ctrl-C ends it.");
        tokio::signal::ctrl_c().await?;
    }
    run.stop().await?;
    drop(services);
    Ok(())
}

/// Asks what a step asks, and tells what came back.
async fn show(step: &Step, logs: &Path) -> Result<Table> {
    let before = stats(&step.stats).await?;
    let logged: Vec<usize> = step
        .logs
        .iter()
        .map(|log| count(logs, &log.service, &log.host))
        .collect();
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.add_row([Cell::new(&step.title).add_attribute(comfy_table::Attribute::Bold)]);
    if !step.apply.is_empty() {
        table.add_row([Cell::new(format!("  {}", step.apply.join(", "))).fg(Color::DarkGrey)]);
    }
    let mut answers = Table::new();
    answers.load_style(presets::NOTHING);
    for ask in &step.ask {
        let progress = ProgressBar::new_spinner().with_message(format!("asking: {}", ask.title));
        progress.enable_steady_tick(Duration::from_millis(100));
        let groups = ask::ask(ask).await?;
        progress.finish_and_clear();
        for (index, group) in groups.iter().enumerate() {
            answers.add_row(row(if index == 0 { &ask.title } else { "" }, group, ask.times));
        }
    }
    for (name, value) in stats(&step.stats).await? {
        let grown = value.saturating_sub(before.get(&name).copied().unwrap_or_default());
        let short = name.rsplit('.').next().unwrap_or_default();
        answers.add_row(vec![
            Cell::new("  Envoy"),
            Cell::new(""),
            Cell::new(short),
            Cell::new(format!("+{grown}")),
        ]);
    }
    for (log, before) in step.logs.iter().zip(logged) {
        let text = format!("log of {}: host {}", log.service, log.host);
        let grown = count(logs, &log.service, &log.host).saturating_sub(before);
        answers.add_row(vec![
            Cell::new("  log"),
            Cell::new(""),
            Cell::new(text),
            Cell::new(format!("+{grown}")),
        ]);
    }
    table.add_row([answers.to_string()]);
    Ok(table)
}

fn row(title: &str, group: &Answers, times: usize) -> Vec<Cell> {
    let (status, color) = match group.status {
        Some(status) => (
            status.to_string(),
            if status < 400 { Color::Green } else { Color::Yellow },
        ),
        None => ("-".to_owned(), Color::Red),
    };
    let share = if times > 1 {
        format!("{} of {times}", group.count)
    } else {
        String::new()
    };
    vec![
        Cell::new(format!("  {title}")),
        Cell::new(status).fg(color),
        Cell::new(&group.said),
        Cell::new(share).set_alignment(CellAlignment::Right),
        Cell::new(format!("{:.2} s", group.took.as_secs_f64())).set_alignment(CellAlignment::Right),
    ]
}

/// How many requests for a host a service has logged.
fn count(logs: &Path, service: &str, host: &str) -> usize {
    let log = std::fs::read_to_string(logs.join(format!("{service}.log"))).unwrap_or_default();
    let wanted = format!("\"host\":\"{host}\"");
    log.lines().filter(|line| line.contains(&wanted)).count()
}

/// Envoy's counters by name.
async fn stats(names: &[String]) -> Result<BTreeMap<String, u64>> {
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let text = ask::text(&format!("http://{ADMIN}/stats")).await?;
    let value = |line: &str| {
        let (name, value) = line.split_once(": ")?;
        Some((name.to_owned(), value.parse().ok()?))
    };
    Ok(text
        .lines()
        .filter_map(value)
        .filter(|(name, _)| names.contains(name))
        .collect())
}

fn names(directory: &str) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(directory)
        .with_context(|| format!("cannot read {directory}; run this from the repository"))?;
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    Ok(names)
}
