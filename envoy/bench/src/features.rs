//! What rules do beyond choosing a cluster: copies, headers, delays.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::envoy::Envoy;
use crate::load::{Pace, Run};
use crate::measure::{BySide, Plan, Series, Sides, rounds};
use crate::shape::{Ask, destination_rule, service_entry, to, virtual_service};
use crate::site::{Side, Site, addresses};

/// Figures of two sides, or of three.
#[derive(Debug, Clone, Serialize)]
pub struct Features {
    /// A request that is copied to another subset, by Envoy, by the filter, and by Envoy for the filter.
    pub mirror: BySide,
    /// A request whose headers are set, added to and removed, and its answer's.
    pub headers: BySide,
    /// Injected delays.
    pub delays: Vec<Delay>,
    /// Two rules, at 70 % of the rate that native routes do at most; the floors beside them.
    pub tail: BySide,
    /// That rate.
    pub tail_rate: f64,
}

/// An injected delay.
#[derive(Debug, Clone, Serialize)]
pub struct Delay {
    /// How long it should be.
    pub milliseconds: u64,
    /// How much longer requests took by Envoy's own fault filter, and by switchyard.
    pub late: BTreeMap<Side, Late>,
}

/// How much longer than its delay a request took, in milliseconds; less than nothing is too early.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Late {
    /// The one in the middle of each turn.
    pub median: Series,
    /// The one in the middle of each turn's errors. An error is how far off a request was, too late or too early.
    pub error: Series,
    /// The earliest of each turn.
    pub earliest: Series,
}

impl Late {
    fn add(&mut self, run: &Run, milliseconds: u64) {
        let late = |latency: &Duration| latency.as_secs_f64() * 1e3 - milliseconds as f64;
        let late = Series(run.latencies.iter().map(late).collect());
        self.median.0.push(late.median());
        self.error
            .0
            .push(Series(late.0.iter().map(|late| late.abs()).collect()).median());
        self.earliest.0.push(late.spread().0);
    }
}

const DELAYS: [u64; 4] = [10, 50, 100, 500];
/// Requests a second, each of which waits.
const DELAYED: f64 = 100.0;

/// Measures them all.
pub fn measure(bench: &mut Bench) -> Result<Features> {
    let (tail, tail_rate) = tail(bench)?;
    Ok(Features {
        mirror: mirror(bench)?,
        headers: headers(bench)?,
        delays: delays(bench)?,
        tail,
        tail_rate,
    })
}

/// An Envoy with rules for one service, and where its two sides listen.
fn start(bench: &Bench, rules: Vec<Value>) -> Result<(Envoy, Vec<(Side, SocketAddr)>)> {
    let (_, bootstrap) = bootstrap(bench, rules)?;
    let (envoy, mut sides) = listen(bench, &bootstrap)?;
    sides.truncate(2);
    Ok((envoy, sides))
}

fn bootstrap(bench: &Bench, rules: Vec<Value>) -> Result<(Site, Value)> {
    let ports = bench.load.ports();
    let site = Site::new(vec![
        virtual_service("reviews", rules),
        destination_rule("reviews"),
        service_entry("reviews", ports),
    ])?;
    let clusters = ["v1", "v2"].map(|subset| format!("outbound|9080|{subset}|reviews.default.svc.cluster.local"));
    let reached: Vec<&str> = clusters.iter().map(String::as_str).collect();
    let bootstrap = site.bootstrap(&bench.programs, &reached)?;
    Ok((site, bootstrap))
}

fn listen(bench: &Bench, bootstrap: &Value) -> Result<(Envoy, Vec<(Side, SocketAddr)>)> {
    let envoy = Envoy::start(&bench.programs.envoy, bootstrap, tempfile::tempdir()?, 1)?;
    let sides = addresses(&envoy)?.into_iter().collect();
    Ok((envoy, sides))
}

fn mirror(bench: &mut Bench) -> Result<BySide> {
    bench.says("a mirror");
    let rule = json!({"route": [to("reviews", "v1")], "mirror": {"host": "reviews", "subset": "v2"}});
    let (site, mut bootstrap) = bootstrap(bench, vec![rule])?;
    site.add_mirrors(&bench.programs, &mut bootstrap)?;
    let (envoy, mut sides) = listen(bench, &bootstrap)?;
    sides.truncate(2);
    sides.push((Side::Mirrors, envoy.listener(Side::Mirrors.name())?));
    take_turns(bench, &envoy, &sides)
}

fn take_turns(bench: &mut Bench, envoy: &Envoy, sides: &[(Side, SocketAddr)]) -> Result<BySide> {
    let ask = Ask::new("/").bytes();
    rounds(&mut bench.load, envoy, sides, &ask, b"v1", bench.plan, Pace::Closed)
}

fn headers(bench: &mut Bench) -> Result<BySide> {
    bench.says("header operations");
    let operations = |name: &str| json!({"set": {format!("x-{name}-set"): "a"}, "add": {format!("x-{name}-add"): "b"}, "remove": ["accept-encoding", "server"]});
    let headers = json!({"request": operations("request"), "response": operations("response")});
    let (envoy, sides) = start(bench, vec![json!({"route": [to("reviews", "v1")], "headers": headers})])?;
    take_turns(bench, &envoy, &sides)
}

fn delays(bench: &mut Bench) -> Result<Vec<Delay>> {
    let delayed = |milliseconds: u64| {
        let delay = json!({"fixedDelay": format!("0.{milliseconds:03}s"), "percentage": {"value": 100}});
        let uri = json!({"exact": format!("/{milliseconds}")});
        json!({"match": [{"uri": uri}], "route": [to("reviews", "v1")], "fault": {"delay": delay}})
    };
    let (envoy, sides) = start(bench, DELAYS.map(delayed).into())?;
    let plan = Plan {
        rounds: bench.plan.rounds.min(5),
        turn: bench.plan.turn * 4,
        connections: 64,
    };
    let pace = Pace::Fixed {
        rate: DELAYED,
        spin: true,
    };
    let mut delays = Vec::new();
    for milliseconds in DELAYS {
        bench.says(&format!("a delay of {milliseconds} ms"));
        let ask = Ask::new(format!("/{milliseconds}")).bytes();
        let mut clients = Sides::connect(&mut bench.load, &sides, &ask, b"v1", plan)?;
        let mut late: BTreeMap<Side, Late> = BTreeMap::new();
        for _ in 0..plan.rounds {
            for (side, turn) in clients.turn(&mut bench.load, &envoy, sides.len(), pace, plan.turn)? {
                late.entry(side).or_default().add(&turn.run, milliseconds);
            }
        }
        delays.push(Delay { milliseconds, late });
    }
    Ok(delays)
}

fn tail(bench: &mut Bench) -> Result<(BySide, f64)> {
    bench.says("latency at 70 % of the native peak");
    let user = json!({"match": [{"headers": {"end-user": {"exact": "jason"}}}], "route": [to("reviews", "v2")]});
    let (_, bootstrap) = bootstrap(bench, vec![user, json!({"route": [to("reviews", "v1")]})])?;
    let (envoy, sides) = listen(bench, &bootstrap)?;
    // Many short turns: what else the machine does then falls into few of them, and not into the median.
    let plan = Plan {
        turn: bench.plan.turn.max(Duration::from_millis(10)),
        rounds: bench.plan.rounds * 5,
        connections: 64,
    };
    let mut clients = Sides::connect(&mut bench.load, &sides, &Ask::new("/").bytes(), b"v1", plan)?;
    let mut figures = BySide::new();
    let mut rates = Series::default();
    for _ in 0..plan.rounds {
        // The machine's speed changes, and the peak with it.
        let peak = clients.turn(&mut bench.load, &envoy, 1, Pace::Closed, plan.turn / 4)?;
        let rate = 0.7 * peak.first().context("a side")?.1.run.rate();
        rates.0.push(rate);
        let pace = Pace::Fixed { rate, spin: true };
        for (side, turn) in clients.turn(&mut bench.load, &envoy, sides.len(), pace, plan.turn)? {
            figures.entry(side).or_default().add(&turn)?;
        }
    }
    Ok((figures, rates.median()))
}
