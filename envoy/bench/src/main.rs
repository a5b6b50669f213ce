//! `make bench`.

#![allow(clippy::indexing_slicing)]

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use bench::bench::Bench;
use bench::envoy::pin_load;
use bench::measure::Plan;
use bench::routes;
use bench::shape::Shape;
use bench::site::{Programs, Side};
use clap::Parser;

/// Measures switchyard.wasm against the routes that istiod makes, on a real Envoy.
#[derive(Debug, Parser)]
struct Arguments {
    /// Users and paths at 2, 1,000 and 10,000 rules only
    #[arg(long)]
    quick: bool,
    /// Rounds
    #[arg(long)]
    rounds: Option<usize>,
    /// Shapes to measure
    #[arg(long, value_delimiter = ',')]
    shapes: Option<Vec<String>>,
    /// Numbers of rules
    #[arg(long, value_delimiter = ',')]
    rules: Option<Vec<usize>>,
    /// What the fifth shape is drawn from; by default from the clock
    #[arg(long)]
    seed: Option<u64>,
    #[arg(long, env = "ENVOY")]
    envoy: PathBuf,
    /// Where the filters are
    #[arg(long, default_value = "target/wasm32-wasip1/release")]
    wasm: PathBuf,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    pin_load()?;
    let programs = Programs {
        envoy: arguments.envoy,
        wasm: arguments.wasm.join("switchyard.wasm"),
        noop: arguments.wasm.join("noop.wasm"),
    };
    let plan = Plan {
        rounds: arguments.rounds.unwrap_or(7),
        turn: Duration::from_millis(200),
        connections: 16,
    };
    let mut bench = Bench::new(programs, plan, arguments.quick)?;
    let seed = arguments.seed.unwrap_or(1);
    let shapes: Vec<Shape> = [
        Shape::Users,
        Shape::Paths,
        Shape::Mixed,
        Shape::Hosts,
        Shape::Drawn(seed),
    ]
    .into_iter()
    .filter(|shape| {
        arguments
            .shapes
            .as_ref()
            .is_none_or(|names| names.iter().any(|name| name == shape.name()))
    })
    .collect();
    let rows = routes::measure(
        &mut bench,
        &shapes,
        &arguments.rules.unwrap_or(vec![2, 100, 1000, 10000]),
    )?;
    for row in rows {
        print!("{} {} {}", row.shape, row.rules, row.rule.name());
        for (side, f) in &row.sides {
            print!(
                "  {}: {:.1}us {:.0}/s {:.2} {:.2}ms",
                side.name(),
                f.cpu_us.median(),
                f.rate.median(),
                f.p50_ms.median(),
                f.p99_ms.median()
            );
        }
        let cpu = |side| &row.sides[&side].cpu_us;
        println!(
            "  ratio {:.3}",
            cpu(Side::Switchyard).median() / cpu(Side::Native).median()
        );
    }
    bench.done();
    Ok(())
}
