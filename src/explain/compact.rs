//! An explanation in one line of ASCII: for a response header, and for access logs.

use std::fmt::Write;

use super::{Unmet, walk};
use crate::decision::{Decision, Routed};
use crate::request::Request;
use crate::route::RouteTable;

/// How many of the rules before are named; the last ones are the most telling.
const NAMED: usize = 8;
/// How many bytes it may have.
const LONGEST: usize = 4096;

/// What was decided, in one line: the rule, where the request goes, what it drew, and why the rules before it did not take it.
///
/// `by default/reviews http[2]; to outbound|9080|v1|reviews.default.svc.cluster.local, 17 of 100 for 90; not http[0].match[0]: header
/// end-user is missing, and has to be jason`.
pub fn compact(table: &RouteTable, request: &Request, decision: &Decision) -> String {
    let mut line = String::new();
    let host = table.virtual_host(request);
    match (decision, host) {
        (Decision::Untouched, None) => line.push_str("untouched: no VirtualService has the host"),
        (Decision::Untouched, Some(host)) => {
            let _ = write!(line, "untouched: {}", host.name);
        }
        (Decision::NotFound, host) => {
            let name = host.map(|host| &*host.name).unwrap_or_default();
            let _ = write!(line, "not found: no rule for {name} matches");
        }
        (Decision::Routed(routed), _) => taken(&mut line, request, routed),
    }
    if let Some(host) = host.filter(|_| *decision != Decision::Untouched) {
        let passed: Vec<_> = walk(host, request).0.collect();
        let unnamed = passed.len().saturating_sub(NAMED);
        for (route, unmet) in passed.iter().skip(unnamed).rev() {
            let _ = write!(line, "; not {}: {}", route.rule, Unmet::new(*unmet, request));
        }
        if unnamed > 0 {
            let _ = write!(line, "; not {unnamed} others before");
        }
    }
    ascii(line)
}

fn taken(line: &mut String, request: &Request, routed: &Routed) {
    let rule = &routed.route.rule;
    let _ = write!(line, "by {rule}");
    if !rule.name.is_empty() {
        let _ = write!(line, " \"{}\"", rule.name);
    }
    if let Some(delay) = routed.delay {
        let _ = write!(line, "; delayed {} ms", delay.as_millis());
    }
    if let Some(abort) = routed.abort {
        let _ = write!(line, "; aborted {abort:?}");
        return;
    }
    if routed.is_answered_here() {
        line.push_str("; answered here");
        return;
    }
    if let (Some(forward), Some(chosen)) = (routed.forward(), routed.cluster()) {
        let _ = write!(line, "; to {}", chosen.cluster.name(|| request.port()));
        if forward.clusters.len() > 1 {
            let drawn = routed.random.checked_rem(forward.total_weight).unwrap_or_default();
            let _ = write!(
                line,
                ", drawn {drawn} of {}, weight {}",
                forward.total_weight, chosen.weight
            );
        }
    }
    for mirror in routed.mirrors() {
        let _ = write!(line, "; copied to {}", mirror.cluster.name(|| request.port()));
    }
}

/// Printable ASCII of bounded length: what a header's value may be.
fn ascii(line: String) -> String {
    let mut ascii: String = line
        .chars()
        .map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' })
        .collect();
    if ascii.len() > LONGEST {
        ascii.truncate(LONGEST);
        ascii.push_str("...");
    }
    ascii
}
