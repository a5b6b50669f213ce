//! How many agree, and what is to be said of the rest.

use std::collections::BTreeMap;

use switchyard::finding::Finding;

use crate::case::{Case, Exchange, Request};
use crate::compare::differences;
use crate::differences::{is_argued_for, reason};
use crate::outcome::Outcome;
use crate::shares::Pattern;
use crate::support::chance;

/// One of our outcomes.
#[derive(Debug)]
pub struct Seen {
    /// The outcome.
    pub outcome: Outcome,
    /// How likely it is.
    pub share: f64,
    /// The draws that lead to it.
    pub patterns: Vec<Pattern>,
    /// The rule that drew.
    pub rule: Option<String>,
}

impl Seen {
    /// The only outcome.
    pub fn certain(outcome: Outcome) -> Seen {
        Seen {
            outcome,
            share: 1.0,
            patterns: vec![],
            rule: None,
        }
    }

    /// How likely it is not to come up when the request is sent so often.
    fn miss(&self, sent: usize) -> f64 {
        (1.0 - self.share).powf(sent as f64)
    }

    /// Other draws lead to the same.
    pub fn add(&mut self, pattern: Pattern, share: f64) {
        self.patterns.push(pattern);
        self.share += share;
    }
}

/// How often each request of a drawing listener was sent.
pub const SENT: usize = 12;
/// How often a rule with draws is drawn.
pub const DRAWS: u64 = 2_000;
/// What counts as impossible.
pub const NEVER: f64 = 1e-6;
/// The same where thousands of outcomes are looked for, each of which may be missing.
const NOT_ONE: f64 = 1e-10;

/// What is wrong with a request, and the reason if it is meant.
type Fault = (Option<&'static str>, String);

/// An outcome that may come of several requests: a case, a rule of it and what it drew.
type Awaited = (String, String, Vec<Pattern>);

/// Of how many requests an outcome could be seen and was not.
#[derive(Debug, Default)]
struct Sightings {
    requests: u64,
    missing: u64,
    /// How likely it is to miss it in one request.
    miss: f64,
}

/// Whether an outcome would agree if it had come in time.
pub fn is_late(exchange: &Exchange, possible: &[Seen], outcome: &Outcome) -> bool {
    let all = exchange
        .outcomes
        .iter()
        .chain(possible.iter().map(|seen| &seen.outcome));
    let nearest = all.map(|one| differences(one, outcome)).min_by_key(Vec::len);
    matches!(nearest.as_deref(), Some([field]) if field.starts_with("took_ms:"))
}

/// The sum of all comparisons.
#[derive(Debug, Default)]
pub struct Report {
    requests: usize,
    agreed: usize,
    shares: usize,
    explained: usize,
    lines: Vec<Fault>,
    awaited: BTreeMap<Awaited, Sightings>,
}

impl Report {
    /// Adds another one.
    pub fn extend(&mut self, other: Report) {
        self.requests += other.requests;
        self.agreed += other.agreed;
        self.shares += other.shares;
        self.explained += other.explained;
        self.lines.extend(other.lines);
        self.awaited.extend(other.awaited);
    }

    /// A case whose configuration was refused: none of its requests agrees.
    pub fn refused(&mut self, case: &Case, port: u16, findings: &[Finding]) {
        self.requests += case.listeners[&port].len();
        self.lines
            .push((None, format!("{} port {port}: refused: {findings:?}", case.name)));
    }

    /// Compares what was seen with what may be seen of us.
    pub fn compare(&mut self, case: &Case, exchange: &Exchange, ours: &[Seen]) {
        self.requests += 1;
        let mut faults = Vec::new();
        for observed in &exchange.outcomes {
            let compared = ours.iter().map(|seen| (seen, differences(observed, &seen.outcome)));
            let (nearest, fields) = compared.min_by_key(|(_, fields)| fields.len()).unwrap();
            if !fields.is_empty() {
                faults.push((reason(case, observed, &nearest.outcome, &fields), fields.join("; ")));
            }
        }
        if faults.is_empty() {
            faults = self.missing(case, ours, &exchange.outcomes, SENT);
        }
        self.judge(case, exchange, faults);
    }

    /// Compares what came of a request, each time it was sent through Envoy, with what may come of it.
    pub fn compare_sent(&mut self, case: &Case, exchange: &Exchange, possible: &[Seen], sent: &[Outcome]) {
        self.requests += 1;
        let agrees = |one: &Outcome, other: &Outcome| differences(one, other).is_empty();
        let nearest = |outcome: &Outcome, all: &[Outcome]| {
            let compared = all.iter().map(|one| differences(one, outcome)).enumerate();
            let (at, fields) = compared.min_by_key(|(_, fields)| fields.len()).unwrap();
            (reason(case, &all[at], outcome, &fields), fields)
        };
        let observed = &exchange.outcomes;
        // Where the library has all that was observed, it also says what was missed by chance.
        let is_known = |observed: &Outcome| {
            let is_meant = |seen: &Seen| {
                let fields = differences(observed, &seen.outcome);
                fields.is_empty() || reason(case, observed, &seen.outcome, &fields).is_some()
            };
            possible.iter().any(is_meant)
        };
        let all_known = observed.iter().all(is_known);
        let mut faults = Vec::new();
        for outcome in sent {
            let ours = possible.iter().find(|seen| agrees(&seen.outcome, outcome));
            // The library's outcome names every workload that may answer.
            let (reason, fields) = nearest(ours.map_or(outcome, |seen| &seen.outcome), observed);
            let by_chance = all_known && ours.is_some_and(|seen| seen.miss(SENT) >= NEVER);
            if !fields.is_empty() && (reason.is_some() || !by_chance) {
                faults.push((reason, fields.join("; ")));
            }
        }
        if faults.is_empty() {
            faults = self.missing(case, possible, sent, sent.len());
        }
        faults.sort();
        faults.dedup();
        self.judge(case, exchange, faults);
    }

    /// Writes down a request and what is wrong with it.
    fn judge(&mut self, case: &Case, exchange: &Exchange, faults: Vec<Fault>) {
        if faults.is_empty() {
            self.agreed += 1;
            return;
        }
        let reason = faults.iter().map(|(reason, _)| *reason).min().flatten();
        assert!(
            reason.is_none_or(is_argued_for),
            "testdata/differences.md has no {reason:?}"
        );
        let texts: Vec<String> = faults.into_iter().map(|(_, text)| text).collect();
        let Request {
            method,
            host,
            path,
            headers,
        } = &exchange.request;
        let request = format!("{}:{} {method} {host} {path} {headers:?}", case.name, exchange.line);
        self.lines.push((reason, format!("{request}: {}", texts.join(" | "))));
    }

    /// Outcomes that may come of a request and did not, though it was sent so often that they would have.
    fn missing(&mut self, case: &Case, possible: &[Seen], outcomes: &[Outcome], sent: usize) -> Vec<Fault> {
        let mut faults = Vec::new();
        for seen in possible {
            let was_seen = outcomes
                .iter()
                .any(|outcome| differences(outcome, &seen.outcome).is_empty());
            let miss = seen.miss(sent);
            if !was_seen && miss < NOT_ONE {
                faults.push((None, format!("never seen: {:?}", seen.outcome)));
            }
            if let Some(rule) = &seen.rule {
                let sightings = self
                    .awaited
                    .entry((case.name.clone(), rule.clone(), seen.patterns.clone()))
                    .or_default();
                sightings.requests += 1;
                sightings.missing += u64::from(!was_seen);
                sightings.miss = miss;
            }
        }
        faults
    }

    /// Counts an explanation that was checked.
    pub fn explained(&mut self, case: &Case, exchange: &Exchange, faults: Vec<String>) {
        self.explained += 1;
        let place = format!("{}:{}", case.name, exchange.line);
        self.lines
            .extend(faults.into_iter().map(|fault| (None, format!("{place}: {fault}"))));
    }

    /// Counts a share that was checked.
    pub fn share(&mut self, holds: bool, text: impl FnOnce() -> String) {
        self.shares += 1;
        if !holds {
            self.lines.push((None, text()));
        }
    }

    /// Whether at most one request of a hundred disagrees.
    pub fn agrees_nearly_always(&self) -> bool {
        (self.requests - self.agreed) * 100 <= self.requests
    }

    /// Whether there was anything, and every disagreement has a reason.
    pub fn is_good(&self) -> bool {
        self.requests > 0 && self.lines.iter().all(|(reason, _)| reason.is_some()) && self.never_seen().is_empty()
    }

    /// Outcomes that may be missing of one request, but not of so many.
    fn never_seen(&self) -> Vec<String> {
        let impossible = |(_, seen): &(&Awaited, &Sightings)| {
            seen.missing > 0 && chance::at_least(seen.requests, seen.missing, seen.miss) < NOT_ONE
        };
        let text = |((case, rule, patterns), seen): (&Awaited, &Sightings)| {
            format!(
                "{case} {rule}: {patterns:?} is missing of {} requests of {}",
                seen.missing, seen.requests
            )
        };
        self.awaited.iter().filter(impossible).map(text).collect()
    }

    /// What was checked beside the requests.
    pub fn checks(&self, source: &str) -> String {
        let mut text = format!("{source}: {} shares over {DRAWS} draws each", self.shares);
        if self.explained > 0 {
            text += &format!(", {} explanations", self.explained);
        }
        text
    }

    /// How many agree.
    pub fn summary(&self, source: &str) -> String {
        format!("golden ({source}): {} of {} requests agree", self.agreed, self.requests)
    }

    /// Everything that does not agree, each with its reason.
    pub fn disagreements(&self) -> Vec<String> {
        let lines = self.lines.iter();
        let lines = lines.map(|(reason, line)| (reason.unwrap_or("unexplained"), line.clone()));
        let never_seen = self.never_seen().into_iter().map(|line| ("unexplained", line));
        let mut lines: Vec<_> = lines.chain(never_seen).collect();
        lines.sort();
        lines
            .into_iter()
            .map(|(reason, line)| format!("{reason}: {line}"))
            .collect()
    }
}
