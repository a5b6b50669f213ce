//! Requests, counted by what becomes of them before and after.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::Format;
use super::side::Side;
use crate::cli::request::Sent;
use crate::cli::{Failure, Status, progress};
use crate::diff::callers::{Asked, Caller};
use crate::diff::{self, Comparison};
use crate::request::Request;

mod text;

/// The requests that are treated differently, by class.
#[derive(Serialize)]
pub(super) struct Tally {
    pub requests: u64,
    pub differ: u64,
    pub classes: Vec<Counted>,
}

/// A class of requests.
#[derive(Serialize)]
pub(super) struct Counted {
    pub requests: u64,
    pub host: String,
    pub old: diff::Side,
    pub new: diff::Side,
    pub changes: Vec<diff::Change>,
    /// The first of them.
    pub example: Sent,
}

pub(super) fn run(
    requests: &[Sent],
    old: &mut Side,
    new: &mut Side,
    asked: &Asked,
    output: Format,
) -> Result<Status, Failure> {
    let tally = count(requests, old, new, asked);
    super::print(&text::print(&tally, old, new), &tally, output)?;
    Ok(if tally.differ == 0 {
        Status::Done
    } else {
        Status::Differs
    })
}

fn count(requests: &[Sent], old: &mut Side, new: &mut Side, asked: &Asked) -> Tally {
    let mut by_port: BTreeMap<u16, Vec<&Sent>> = BTreeMap::new();
    for sent in requests {
        by_port
            .entry(asked.port.unwrap_or_else(|| sent.port()))
            .or_default()
            .push(sent);
    }
    let bar = progress::bar(requests.len(), "requests");
    let mut classes: HashMap<(diff::Side, diff::Side), (u64, String, &Sent)> = HashMap::new();
    for (port, requests) in by_port {
        let gateways = if asked.gateways.is_empty() {
            vec!["mesh".to_owned()]
        } else {
            asked.gateways.clone()
        };
        let caller = Caller {
            gateways,
            namespace: asked.namespace.clone().unwrap_or_else(|| "default".to_owned()),
            labels: asked.labels.clone(),
            port,
        };
        let (before, after) = (old.documents.table(&caller), new.documents.table(&caller));
        let mut comparison = Comparison::new(&before, &after, port);
        for sent in requests {
            bar.inc(1);
            // Envoy answers what it cannot read with 400, whatever the rules.
            let Ok(headers) = sent.received() else { continue };
            let request = Request::new(&headers);
            if let Some(sides) = comparison.of_request(&request) {
                let host = after.virtual_host(&request).or_else(|| before.virtual_host(&request));
                let host = || host.map(|host| host.name.to_string()).unwrap_or_default();
                classes.entry(sides).or_insert_with(|| (0, host(), sent)).0 += sent.count;
            }
        }
    }
    bar.finish_and_clear();
    let counted = |((old, new), (requests, host, example)): (_, (u64, String, &Sent))| {
        let (old, new): (diff::Side, diff::Side) = (old, new);
        Counted {
            changes: old.effect.changes(&new.effect),
            requests,
            host,
            old,
            new,
            example: example.clone(),
        }
    };
    let mut classes: Vec<Counted> = classes.into_iter().map(counted).collect();
    classes.sort_by(|a, b| {
        b.requests
            .cmp(&a.requests)
            .then_with(|| (&a.old.rule, &a.new.rule).cmp(&(&b.old.rule, &b.new.rule)))
    });
    Tally {
        requests: requests.iter().map(|sent| sent.count).sum(),
        differ: classes.iter().map(|class| class.requests).sum(),
        classes,
    }
}
