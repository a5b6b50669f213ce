//! Many requests, counted by rule and destination.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde::Serialize;

use super::text::percent;
use super::{Args, Format, load, place};
use crate::cli::input::Input;
use crate::cli::request::Sent;
use crate::cli::{Failure, Status, progress, terminal};
use crate::explain::RuleReference;
use crate::plugin::Plugin;
use crate::request::Request;
use crate::route::{self, Route};

/// What takes a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Taker {
    Rule(RuleReference),
    NotFound(String),
    Untouched,
    /// Envoy answers 400.
    Refused,
}

/// Requests that a rule takes, and the shares of them that its destinations get.
#[derive(Default)]
struct Counted {
    requests: u64,
    /// By subset, or by cluster where it has none.
    destinations: BTreeMap<String, f64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    requests: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a RuleReference>,
    outcome: &'a str,
    destinations: &'a BTreeMap<String, f64>,
}

pub(super) fn run(requests: &[Sent], input: &Input, args: &Args) -> Result<Status, Failure> {
    let mut plugins: BTreeMap<u16, Plugin> = BTreeMap::new();
    let mut counted: BTreeMap<Taker, Counted> = BTreeMap::new();
    let progress = progress::bar(requests.len(), "requests");
    for sent in requests {
        progress.inc(1);
        let port = args.listener.port().unwrap_or_else(|| sent.port());
        let plugin = match plugins.entry(port) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => match load(args, input, port)? {
                Some(plugin) => new.insert(plugin),
                None => return Ok(Status::Refused),
            },
        };
        count(sent, plugin, &mut counted);
    }
    progress.finish_and_clear();
    let reached: BTreeSet<&RuleReference> = counted
        .keys()
        .filter_map(|taker| match taker {
            Taker::Rule(rule) => Some(rule),
            _ => None,
        })
        .collect();
    let all: BTreeSet<RuleReference> = plugins.values().flat_map(rules).collect();
    let unreached: Vec<&RuleReference> = all.iter().filter(|rule| !reached.contains(rule)).collect();
    match args.output {
        Format::Text | Format::Short => {
            super::super::print_styled(text(&counted, &unreached, input).trim_end_matches('\n'))?
        }
        Format::Json => {
            let json = json(&counted, &unreached).map_err(|error| Failure::of("the table", error))?;
            super::super::print(&json)?;
        }
    }
    Ok(Status::Done)
}

fn rules(plugin: &Plugin) -> impl Iterator<Item = RuleReference> {
    let routes = plugin
        .table
        .virtual_hosts
        .iter()
        .filter_map(|host| host.routes.as_ref());
    routes
        .flat_map(|routes| routes.iter())
        .map(|route| RuleReference::new(&route.rule))
}

fn count(sent: &Sent, plugin: &Plugin, counted: &mut BTreeMap<Taker, Counted>) {
    let Ok(headers) = sent.received() else {
        counted.entry(Taker::Refused).or_default().requests += sent.count;
        return;
    };
    let request = Request::new(&headers);
    let (taker, route) = match plugin.table.taker(&request) {
        route::Taker::HttpsRedirect | route::Taker::Default(_) => (Taker::Untouched, None),
        route::Taker::Nothing => {
            let host = plugin.table.virtual_host(&request);
            (
                Taker::NotFound(host.map_or_else(String::new, |host| host.name.to_string())),
                None,
            )
        }
        route::Taker::Rule(route) => (Taker::Rule(RuleReference::new(&route.rule)), Some(route)),
    };
    let row = counted.entry(taker).or_default();
    row.requests += sent.count;
    for (destination, share) in route.into_iter().flat_map(|route| destinations(route, &request)) {
        *row.destinations.entry(destination).or_default() += share * sent.count as f64;
    }
}

fn destinations(route: &Route, request: &Request) -> Vec<(String, f64)> {
    let Some(forward) = route.action.forward() else {
        return Vec::new();
    };
    let only = forward.clusters.len() < 2;
    let each = forward.clusters.iter().map(|chosen| {
        let name = if chosen.subset.is_empty() {
            chosen.cluster.name(|| request.port()).into_owned()
        } else {
            chosen.subset.to_string()
        };
        let share = if only {
            1.0
        } else {
            chosen.weight as f64 / forward.total_weight.max(1) as f64
        };
        (name, share)
    });
    each.collect()
}

impl Taker {
    fn outcome(&self) -> &'static str {
        match self {
            Taker::Rule(_) => "routed",
            Taker::NotFound(_) => "notFound",
            Taker::Untouched => "untouched",
            Taker::Refused => "refused",
        }
    }
}

fn json(counted: &BTreeMap<Taker, Counted>, unreached: &[&RuleReference]) -> serde_json::Result<Vec<u8>> {
    let rows: Vec<Row> = counted
        .iter()
        .map(|(taker, row)| Row {
            requests: row.requests,
            rule: match taker {
                Taker::Rule(rule) => Some(rule),
                _ => None,
            },
            outcome: taker.outcome(),
            destinations: &row.destinations,
        })
        .collect();
    serde_json::to_vec_pretty(&serde_json::json!({ "rules": rows, "unreached": unreached }))
}

fn text(counted: &BTreeMap<Taker, Counted>, unreached: &[&RuleReference], input: &Input) -> String {
    let total: u64 = counted.values().map(|row| row.requests).sum();
    let named = |rule: &RuleReference| {
        let name = if rule.name.is_empty() {
            String::new()
        } else {
            format!(" \"{}\"", rule.name)
        };
        let place = place::place(rule, input)
            .map(|place| format!(" ({place})"))
            .unwrap_or_default();
        format!("{} {}{name}{place}", rule.virtual_service, rule.path())
    };
    let mut rows: Vec<[String; 4]> = vec![["requests", "share", "rule", "to"].map(str::to_owned)];
    let mut order: Vec<(&Taker, &Counted)> = counted.iter().collect();
    order.sort_by_key(|(_, row)| std::cmp::Reverse(row.requests));
    for (taker, row) in order {
        let what = match taker {
            Taker::Rule(rule) => named(rule),
            Taker::NotFound(host) => format!("404: no rule of {host}"),
            Taker::Untouched => "untouched: no VirtualService".to_owned(),
            Taker::Refused => "400: Envoy refuses the path".to_owned(),
        };
        let to = row
            .destinations
            .iter()
            .map(|(name, share)| format!("{name} {}", percent(share / row.requests.max(1) as f64)));
        let share = percent((row.requests as f64 / total.max(1) as f64 * 1000.0).round() / 1000.0);
        rows.push([row.requests.to_string(), share, what, to.collect::<Vec<_>>().join(", ")]);
    }
    let width = terminal::width();
    let mut out = aligned(&rows, width);
    if !unreached.is_empty() {
        out.push_str("\nrules that no request reached:\n");
        for rule in unreached {
            let line = terminal::folded(&format!("  {}", named(rule)), width, 4);
            let _ = writeln!(out, "{line}");
        }
    }
    out
}

/// Columns: numbers to the right, text to the left. Where a line is too short for all of them the last stands below the one before.
fn aligned(rows: &[[String; 4]], width: Option<usize>) -> String {
    let longest = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let [first, second, third, fourth] = [0, 1, 2, 3].map(longest);
    let indent = first + second + 4;
    let fits = width.is_none_or(|width| indent + third + 2 + fourth <= width);
    let mut out = String::new();
    for (number, [requests, share, rule, to]) in rows.iter().enumerate() {
        let numbers = format!("{requests:>first$}  {share:>second$}");
        if fits {
            let line = format!("{numbers}  {rule:<third$}  {to}");
            let _ = writeln!(out, "{}", line.trim_end());
            continue;
        }
        let _ = writeln!(
            out,
            "{}",
            terminal::folded(&format!("{numbers}  {rule}"), width, indent)
        );
        if number > 0 && !to.is_empty() {
            let below = format!("{:indent$}{to}", "");
            let _ = writeln!(out, "{}", terminal::folded(&below, width, indent));
        }
    }
    out
}
