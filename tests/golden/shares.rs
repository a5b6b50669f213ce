//! Whether draws fall as the manifests say.

use std::collections::BTreeMap;

use serde_json::Value;
use switchyard::action::RequestMirrorPolicy;
use switchyard::decision::Routed;
use switchyard::route::Rule;

use crate::case::Case;
use crate::report::Report;
use crate::support::chance;

/// What was drawn for a request: delayed, aborted, the destination, the mirrors.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern {
    pub delayed: bool,
    pub aborted: bool,
    pub destination: usize,
    pub mirrors: Vec<usize>,
}

/// A rule's draws.
pub struct Draws {
    /// The rule.
    pub rule: Rule,
    /// How many there were.
    pub total: u64,
    /// The first seed that gave a pattern, and how many did.
    pub patterns: BTreeMap<Pattern, (u64, u64)>,
}

impl Draws {
    /// Draws, once where nothing is left to chance.
    pub fn new(times: u64, draw: impl Fn(u64) -> Routed) -> Draws {
        let first = draw(0);
        let fault = &first.route.action.fault;
        let sure = first.route.action.is_certain() && fault.delay.is_none() && fault.abort.is_none();
        let total = if sure { 1 } else { times };
        let mut patterns = BTreeMap::new();
        for seed in 0..total {
            let entry = patterns.entry(Pattern::new(&draw(seed))).or_insert((seed, 0));
            entry.1 += 1;
        }
        Draws {
            rule: first.route.rule.clone(),
            total,
            patterns,
        }
    }

    fn count(&self, holds: impl Fn(&Pattern) -> bool) -> u64 {
        let held = self.patterns.iter().filter(|(pattern, _)| holds(pattern));
        held.map(|(_, (_, count))| count).sum()
    }
}

impl Pattern {
    fn new(routed: &Routed) -> Pattern {
        let all = routed.forward().map_or(&[][..], |forward| &forward.mirrors);
        let position = |mirror: &RequestMirrorPolicy| all.iter().position(|own| std::ptr::eq(own, mirror)).unwrap();
        Pattern {
            delayed: routed.delay.is_some(),
            aborted: routed.abort.is_some(),
            destination: routed.destination,
            mirrors: routed.mirrors().map(position).collect(),
        }
    }
}

/// Checks every share that the rule writes against what was drawn.
pub fn check(case: &Case, draws: &Draws, report: &mut Report) {
    if draws.total < 2 {
        return;
    }
    let written = written(case, &draws.rule);
    let mut share = |what: &str, expected: f64, count: u64| {
        let likely = chance::tail(draws.total, count, expected);
        report.share(likely > 1e-6, || {
            format!(
                "{} {}: {what} is {expected}, but {count} of {}",
                case.name, draws.rule, draws.total
            )
        });
    };
    let fault = &written("fault");
    for (name, count) in [
        ("delay", draws.count(|p| p.delayed)),
        ("abort", draws.count(|p| p.aborted)),
    ] {
        share(name, fault_share(&fault[name]), count);
    }
    let routes = written("route");
    let weights: Vec<f64> = weights(&routes);
    for (index, weight) in weights.iter().enumerate() {
        let count = draws.count(|pattern| pattern.destination == index);
        share(
            &format!("destination {index}"),
            weight / weights.iter().sum::<f64>(),
            count,
        );
    }
    for (index, expected) in mirror_shares(&written).into_iter().enumerate() {
        let count = draws.count(|pattern| pattern.mirrors.contains(&index));
        share(&format!("mirror {index}"), expected, count);
    }
}

/// A field of the rule: the one it was delegated to has the first word.
fn written<'c>(case: &'c Case, rule: &'c Rule) -> impl Fn(&str) -> Value + use<'c> {
    let http = |reference: &str, index: usize| &case.spec("VirtualService", reference).unwrap()["http"][index];
    let root = http(&rule.virtual_service, rule.http);
    let leaf = rule
        .delegate
        .as_deref()
        .map(|(reference, index)| http(reference, *index));
    move |field| leaf.and_then(|leaf| leaf.get(field)).unwrap_or(&root[field]).clone()
}

fn fault_share(fault: &Value) -> f64 {
    let percent = fault["percentage"]["value"].as_f64().or(fault["percent"].as_f64());
    percent.unwrap_or_default() / 100.0
}

/// Those above zero, or the lone one's.
fn weights(routes: &Value) -> Vec<f64> {
    match routes.as_array().map(Vec::as_slice) {
        None | Some([_]) => vec![1.0],
        Some(routes) => {
            let weights = routes.iter().map(|route| route["weight"].as_f64().unwrap_or_default());
            weights.filter(|weight| *weight > 0.0).collect()
        }
    }
}

fn mirror_shares(written: &impl Fn(&str) -> Value) -> Vec<f64> {
    let percent = |value: &Value| value["value"].as_f64();
    let mut shares = Vec::new();
    if !written("mirror").is_null() {
        let old = ["mirrorPercent", "mirror_percent"]
            .iter()
            .find_map(|name| written(name).as_f64());
        shares.push(percent(&written("mirrorPercentage")).or(old).unwrap_or(100.0) / 100.0);
    }
    let several = written("mirrors");
    let several = several.as_array().into_iter().flatten();
    shares.extend(several.map(|mirror| percent(&mirror["percentage"]).unwrap_or(100.0) / 100.0));
    shares.retain(|share| *share > 0.0);
    shares
}
