//! All that was measured, and what it should come to.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::measure::{BySide, Series};
use crate::routes::Rule;
use crate::site::Side;
use crate::{configuration, features, routes};

/// One run.
#[derive(Debug, Serialize)]
pub struct Results {
    /// When it began.
    pub date: String,
    /// What `envoy --version` says.
    pub envoy: String,
    /// What the fifth shape was drawn from.
    pub seed: u64,
    /// Kilobytes of the filter.
    pub wasm_kb: f64,
    /// What requests cost.
    pub routes: Vec<routes::Row>,
    /// What else there is to rules; none if it was left out.
    pub features: Option<features::Features>,
    /// What new configurations cost.
    pub configuration: Vec<configuration::Row>,
    /// What all that should come to.
    pub targets: Vec<Target>,
}

/// A figure, and what it should come to: the less the better.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Target {
    /// What it is of.
    pub figure: String,
    /// What was measured: a ratio of medians, or a median.
    pub measured: f64,
    /// The least and the most of any round.
    pub spread: (f64, f64),
    /// It may not be more.
    pub at_least: f64,
    /// What is aimed at.
    pub aim: f64,
    /// What it is counted in; empty for a ratio.
    pub unit: &'static str,
}

impl Target {
    /// Whether it is good enough.
    pub fn holds(&self) -> bool {
        self.measured <= self.at_least
    }

    /// Whether it is as good as aimed at.
    pub fn is_reached(&self) -> bool {
        self.measured <= self.aim
    }
}

impl Results {
    /// Holds what was measured against what it should come to.
    pub fn judge(&mut self) {
        let mut targets = Vec::new();
        self.own_costs(&mut targets);
        self.against_native(&mut targets);
        self.of_features(&mut targets);
        self.of_configurations(&mut targets);
        targets.push(plain(
            "switchyard.wasm",
            &Series(vec![self.wasm_kb]),
            (900.0, 600.0),
            "KB",
        ));
        self.targets = targets;
    }

    fn last(&self, shape: &str, rules: usize) -> Option<&BySide> {
        let row = self
            .routes
            .iter()
            .find(|row| row.shape == shape && row.rules == rules && row.rule == Rule::Last);
        row.map(|row| &row.sides)
    }

    /// CPU a request above one plain route and no filter.
    fn own_costs(&self, targets: &mut Vec<Target>) {
        const SHAPES: [&str; 5] = ["users", "paths", "mixed", "hosts", "drawn"];
        let of_all = |side| {
            let rows = SHAPES
                .iter()
                .filter_map(|shape| above_plain(self.last(shape, 2)?, side));
            Series(rows.flat_map(|series| series.0).collect())
        };
        let (own, noop) = (of_all(Side::Switchyard), of_all(Side::Noop));
        if !own.0.is_empty() {
            targets.push(ratio("own cost, 2 rules / no-op filter", &own, &noop, (2.5, 1.5)));
        }
        for shape in SHAPES {
            let own = |rules| above_plain(self.last(shape, rules)?, Side::Switchyard);
            if let (Some(few), Some(many)) = (own(2), own(10_000)) {
                targets.push(ratio(
                    &format!("own cost, {shape} 10,000 / 2"),
                    &many,
                    &few,
                    (1.25, 1.05),
                ));
            }
        }
    }

    fn against_native(&self, targets: &mut Vec<Target>) {
        for (shape, rules, limits) in [
            ("users", 2, (1.35, 1.15)),
            ("users", 1_000, (0.75, 0.60)),
            ("mixed", 1_000, (0.75, 0.60)),
            ("paths", 1_000, (0.95, 0.80)),
            ("users", 10_000, (0.13, 0.09)),
            ("mixed", 10_000, (0.15, 0.11)),
            ("paths", 10_000, (0.20, 0.15)),
            ("hosts", 10_000, (1.35, 1.15)),
        ] {
            if let Some((native, own)) = self.last(shape, rules).and_then(pair) {
                let figure = format!("CPU, {shape} {rules} / native");
                targets.push(ratio(&figure, &own.cpu_us, &native.cpu_us, limits));
            }
        }
    }

    fn of_features(&self, targets: &mut Vec<Target>) {
        let Some(features) = &self.features else { return };
        if let Some((native, own)) = pair(&features.tail) {
            targets.push(ratio(
                "p99 at 70 % of native peak / native",
                &own.p99_ms,
                &native.p99_ms,
                (1.20, 1.05),
            ));
        }
        if let Some((native, own)) = pair(&features.mirror) {
            targets.push(ratio(
                "CPU, a mirrored request / native",
                &own.cpu_us,
                &native.cpu_us,
                (1.6, 1.3),
            ));
        }
        for delay in &features.delays {
            let figure = format!("error of a {} ms delay", delay.milliseconds);
            if let Some((native, own)) = pair(&delay.late) {
                let native = native.error.median();
                targets.push(plain(&figure, &own.error, (native, native), "ms"));
            }
        }
    }

    fn of_configurations(&self, targets: &mut Vec<Target>) {
        for row in &self.configuration {
            let of = |what: &str| format!("{} {}: {what}", row.shape, row.rules);
            targets.push(plain(&of("load from nothing"), &row.load_ms, (500.0, 250.0), "ms"));
            targets.push(plain(
                &of("memory a worker"),
                &Series(vec![row.worker_mb]),
                (60.0, 40.0),
                "MB",
            ));
            targets.push(plain(&of("gap when one rule changes"), &row.gap_ms, (60.0, 20.0), "ms"));
        }
    }
}

/// Native routes and switchyard.
pub fn pair<T>(sides: &BTreeMap<Side, T>) -> Option<(&T, &T)> {
    Some((sides.get(&Side::Native)?, sides.get(&Side::Switchyard)?))
}

/// What a side takes more than one plain route.
pub fn above_plain(sides: &BySide, side: Side) -> Option<Series> {
    let plain = sides.get(&Side::Plain)?;
    Some(sides.get(&side)?.cpu_us.with(&plain.cpu_us, |own, plain| own - plain))
}

/// The ratio of two series' medians, and the spread of the rounds' ratios.
fn ratio(figure: &str, own: &Series, other: &Series, limits: (f64, f64)) -> Target {
    let measured = own.median() / other.median();
    Target {
        measured,
        ..plain(figure, &own.with(other, |own, other| own / other), limits, "")
    }
}

fn plain(figure: &str, own: &Series, (at_least, aim): (f64, f64), unit: &'static str) -> Target {
    Target {
        figure: figure.to_owned(),
        measured: own.median(),
        spread: own.spread(),
        at_least,
        aim,
        unit,
    }
}
