//! How many agree, and what is to be said of the rest.

use std::collections::BTreeMap;
use std::fmt::Write;

use switchyard::finding::Finding;

use crate::binomial;
use crate::case::{Case, Exchange, Request};
use crate::compare::differences;
use crate::differences::{is_argued_for, reason};
use crate::outcome::Outcome;
use crate::shares::Pattern;

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

    /// Other draws lead to the same.
    pub fn add(&mut self, pattern: Pattern, share: f64) {
        self.patterns.push(pattern);
        self.share += share;
    }
}

/// How often each request of a drawing listener was sent.
const SENT: i32 = 12;
/// What counts as impossible.
const NEVER: f64 = 1e-6;

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

/// The sum of all comparisons.
#[derive(Debug, Default)]
pub struct Report {
    requests: usize,
    agreed: usize,
    shares: usize,
    explained: usize,
    lines: Vec<(Option<&'static str>, String)>,
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
            faults = self.await_ours(case, exchange, ours);
        }
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

    /// Outcomes of ours that would have been seen.
    fn await_ours(&mut self, case: &Case, exchange: &Exchange, ours: &[Seen]) -> Vec<(Option<&'static str>, String)> {
        let mut faults = Vec::new();
        for seen in ours {
            let was_seen = exchange
                .outcomes
                .iter()
                .any(|outcome| differences(outcome, &seen.outcome).is_empty());
            let miss = (1.0 - seen.share).powi(SENT);
            if !was_seen && miss < NEVER {
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
            seen.missing > 0 && binomial::at_least(seen.requests, seen.missing, seen.miss) < NEVER
        };
        let text = |((case, rule, patterns), seen): (&Awaited, &Sightings)| {
            format!(
                "{case} {rule}: {patterns:?} is missing of {} requests of {}",
                seen.missing, seen.requests
            )
        };
        self.awaited.iter().filter(impossible).map(text).collect()
    }

    /// All of it.
    pub fn text(&self, source: &str) -> String {
        let mut text = format!(
            "{} shares checked over {} draws each, {} explanations\n",
            self.shares,
            crate::library::DRAWS,
            self.explained
        );
        let never_seen = self.never_seen();
        writeln!(
            text,
            "golden ({source}): {} of {} requests agree",
            self.agreed, self.requests
        )
        .unwrap();
        let mut lines: Vec<_> = self
            .lines
            .iter()
            .map(|(reason, line)| (reason.unwrap_or("unexplained"), line))
            .collect();
        lines.extend(never_seen.iter().map(|line| ("unexplained", line)));
        lines.sort();
        for (reason, line) in lines {
            writeln!(text, "  {reason}: {line}").unwrap();
        }
        text
    }
}
