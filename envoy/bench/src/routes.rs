//! What a request costs, by the shape and the number of rules.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::bench::Bench;
use crate::envoy::Envoy;
use crate::load::Pace;
use crate::measure::{BySide, Plan, rounds};
use crate::shape::{Ask, Shape};
use crate::site::{Side, Site, Verdict, addresses};

/// Which rule a request is taken by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    /// The first.
    First,
    /// The last with a condition that nothing before it takes away.
    Last,
    /// None with a condition: the one behind them all.
    None,
}

/// A line of the table.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The shape's name.
    pub shape: &'static str,
    /// How many rules.
    pub rules: usize,
    /// Which of them takes the request.
    pub rule: Rule,
    /// What it cost.
    pub sides: BySide,
}

/// Measures shapes at their sizes.
pub fn measure(bench: &mut Bench, shapes: &[Shape], counts: &[usize]) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for shape in shapes {
        for count in counts {
            let ends = *count == 2 || Some(count) == counts.last();
            measure_site(bench, *shape, *count, ends, &mut rows)
                .with_context(|| format!("{} at {count} rules", shape.name()))?;
        }
    }
    Ok(rows)
}

fn measure_site(bench: &mut Bench, shape: Shape, count: usize, ends: bool, rows: &mut Vec<Row>) -> Result<()> {
    let rules = shape.rules(count, bench.load.ports());
    let site = Site::new(rules.resources)?;
    let mut asked = vec![(Rule::Last, last(shape, &site, &rules.asks)?)];
    if ends && !bench.quick {
        asked.push((Rule::First, first(&site, &rules.asks)?));
        asked.push((Rule::None, none(&site, &rules.asks)?));
    }
    let mut reached: Vec<&str> = asked.iter().map(|(_, (_, verdict))| verdict.cluster.as_str()).collect();
    // The sides with one route go where v1 is.
    reached.insert(0, shape.v1());
    let envoy = Envoy::start(
        &bench.programs.envoy,
        &site.bootstrap(&bench.programs, &reached)?,
        tempfile::tempdir()?,
        1,
    )?;
    let addresses: Vec<(Side, SocketAddr)> = addresses(&envoy)?.into_iter().collect();
    for (rule, (ask, verdict)) in asked {
        bench.says(&format!("{} {count}, {}", shape.name(), rule.name()));
        // The floors do not depend on which rule it is.
        let sides = if rule == Rule::Last {
            &addresses[..]
        } else {
            addresses.get(..2).unwrap_or_default()
        };
        let expected = verdict.subset.as_bytes();
        // Much hangs on these, and own costs are small differences of large figures.
        let times = if rule == Rule::Last && count != 100 { 3 } else { 1 };
        let plan = Plan {
            rounds: bench.plan.rounds * times,
            ..bench.plan
        };
        let sides = rounds(
            &mut bench.load,
            &envoy,
            sides,
            &ask.bytes(),
            expected,
            plan,
            Pace::Closed,
        )
        .with_context(|| envoy.log())?;
        rows.push(Row {
            shape: shape.name(),
            rules: count,
            rule,
            sides,
        });
    }
    Ok(())
}

type Asked = (Ask, Verdict);

/// The request of the first rule.
fn first(site: &Site, asks: &[Ask]) -> Result<Asked> {
    let found = asks.iter().find_map(|ask| Some((ask.clone(), site.verdict(ask)?)));
    found.context("no request is taken by a rule")
}

/// The request of the last rule with a condition that has it to itself.
fn last(shape: Shape, site: &Site, asks: &[Ask]) -> Result<Asked> {
    let conditions = asks.len().saturating_sub(1);
    let own = |(number, ask): (usize, &Ask)| {
        let verdict = site.verdict(ask)?;
        let expected = if shape == Shape::Hosts { number % 2 } else { number };
        (verdict.rule == expected).then(|| (ask.clone(), verdict))
    };
    let found = asks.iter().enumerate().take(conditions).rev().find_map(own);
    found.context("no rule has its request to itself")
}

/// What no condition takes.
fn none(site: &Site, asks: &[Ask]) -> Result<Asked> {
    let ask = asks.last().context("there are no rules")?;
    Ok((ask.clone(), site.verdict(ask).context("nothing takes the rest")?))
}

impl Rule {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Rule::First => "first",
            Rule::Last => "last",
            Rule::None => "none",
        }
    }
}
