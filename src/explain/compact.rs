//! An explanation in one line of ASCII: for a response header, and for access logs.

use std::fmt::Write;
use std::sync::Arc;

use super::{Draw, Unmet};
use crate::decision::{Decision, Routed};
use crate::request::Request;
use crate::route::RouteTable;

/// How many of the rules before are named; the last ones are the most telling.
const NAMED: usize = 8;
/// How many bytes it may have.
const LONGEST: usize = 4096;

/// What was decided, in one line: the rule, where the request goes, what it drew, and why the rules before it did not take it, the nearest
/// first. It costs a look at eight rules, however many there are.
///
/// `by default/reviews http[2]; to outbound|9080|v1|reviews.default.svc.cluster.local, drawn 17 of 100, weight 90; not default/reviews
/// http[0].match[0]: header end-user is missing, and has to be jason`.
pub fn compact(table: &RouteTable, request: &Request, decision: &Decision) -> String {
    let mut line = String::new();
    let host = table.virtual_host(request);
    let name = host.map(|host| &*host.name).unwrap_or_default();
    match decision {
        Decision::Untouched if name.is_empty() => line.push_str("untouched: no VirtualService has the host"),
        Decision::Untouched => {
            let _ = write!(line, "untouched: no rule is asked for {name}");
        }
        Decision::NotFound => {
            let _ = write!(line, "not found: no rule of {name} takes it");
        }
        Decision::Routed(routed) => taken(&mut line, request, routed),
    }
    let routes = host
        .and_then(|host| host.routes.as_ref())
        .map_or(&[][..], |routes| routes);
    let before = match decision {
        Decision::Untouched => 0,
        Decision::NotFound => routes.len(),
        Decision::Routed(routed) => routes
            .iter()
            .position(|route| Arc::ptr_eq(route, &routed.route))
            .unwrap_or_default(),
    };
    let unnamed = before.saturating_sub(NAMED);
    for route in routes.get(unnamed..before).unwrap_or_default().iter().rev() {
        if let Err(unmet) = route.matches.check(request, request.path_only()) {
            let _ = write!(line, "; not {}: {}", route.rule, Unmet::new(unmet, request));
        }
    }
    if unnamed > 0 {
        let _ = write!(line, "; not {unnamed} others before");
    }
    ascii(line)
}

fn taken(line: &mut String, request: &Request, routed: &Routed) {
    let rule = &routed.route.rule;
    let _ = write!(line, "by {rule}");
    if !rule.name.is_empty() {
        let _ = write!(line, " {:?}", rule.name);
    }
    let draw = Draw::new(routed, request);
    if let Some(delay) = draw.delay_milliseconds {
        let _ = write!(line, "; delayed {delay} ms");
    }
    if let Some(status) = draw.abort {
        let _ = write!(line, "; aborted with {status}");
    } else if let Some(reply) = routed.local_reply(request, &|_| None) {
        let _ = write!(line, "; answered with {}", reply.status);
    }
    if let Some(cluster) = draw.cluster {
        let _ = write!(line, "; to {cluster}");
        drawn(line, routed);
    }
    for cluster in draw.mirrors {
        let _ = write!(line, "; copied to {cluster}");
    }
}

/// The number that chose among several destinations.
fn drawn(line: &mut String, routed: &Routed) {
    if let (Some(forward), Some(chosen)) = (routed.forward(), routed.cluster())
        && forward.clusters.len() > 1
    {
        let total = forward.total_weight;
        let drawn = routed.random.checked_rem(total).unwrap_or_default();
        let _ = write!(line, ", drawn {drawn} of {total}, weight {}", chosen.weight);
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
