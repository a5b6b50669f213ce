//! What rules do beyond choosing a cluster: copies, headers, delays.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::envoy::Envoy;
use crate::load::Pace;
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
    /// Two rules, at 70 % of the rate that native routes do at most.
    pub tail: BySide,
    /// That rate.
    pub tail_rate: f64,
}

/// An injected delay.
#[derive(Debug, Clone, Serialize)]
pub struct Delay {
    /// How long it should be.
    pub milliseconds: u64,
    /// How much longer requests took by Envoy's own fault filter.
    pub native: Late,
    /// The same by switchyard.
    pub switchyard: Late,
}

/// How much longer than its delay a request took, in milliseconds; less than nothing is too early.
#[derive(Debug, Clone, Serialize)]
pub struct Late {
    /// The one in the middle.
    pub median: Series,
    /// The earliest of all.
    pub earliest: f64,
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

/// An Envoy with rules for one service, and where its sides listen.
fn start(bench: &Bench, rules: Vec<Value>) -> Result<(Envoy, Vec<(Side, SocketAddr)>)> {
    let ports = bench.load.ports();
    let site = Site::new(vec![
        virtual_service("reviews", rules),
        destination_rule("reviews"),
        service_entry("reviews", ports),
    ])?;
    let clusters = ["v1", "v2"].map(|subset| format!("outbound|9080|{subset}|reviews.default.svc.cluster.local"));
    let reached: Vec<&str> = clusters.iter().map(String::as_str).collect();
    let mut bootstrap = site.bootstrap(&bench.programs, &reached)?;
    site.add_mirrors(&bench.programs, &mut bootstrap)?;
    let envoy = Envoy::start(&bench.programs.envoy, &bootstrap, tempfile::tempdir()?, 1)?;
    let sides = addresses(&envoy)?.into_iter().collect();
    Ok((envoy, sides))
}

fn mirror(bench: &mut Bench) -> Result<BySide> {
    bench.says("a mirror");
    let rule = json!({"route": [to("reviews", "v1")], "mirror": {"host": "reviews", "subset": "v2"}});
    let (envoy, mut sides) = start(bench, vec![rule])?;
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
    take_turns(bench, &envoy, sides.get(..2).context("two sides")?)
}

fn delays(bench: &mut Bench) -> Result<Vec<Delay>> {
    let delayed = |milliseconds: u64| {
        let delay = json!({"fixedDelay": format!("0.{milliseconds:03}s"), "percentage": {"value": 100}});
        let uri = json!({"exact": format!("/{milliseconds}")});
        json!({"match": [{"uri": uri}], "route": [to("reviews", "v1")], "fault": {"delay": delay}})
    };
    let (envoy, sides) = start(bench, DELAYS.map(delayed).into())?;
    let sides = sides.get(..2).context("two sides")?;
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
        let figures = rounds(&mut bench.load, &envoy, sides, &ask, b"v1", plan, pace)?;
        let late = |side| {
            let figures = figures.get(&side).context("a side")?;
            let late = |took: &f64| took - milliseconds as f64;
            Ok::<_, anyhow::Error>(Late {
                median: Series(figures.p50_ms.0.iter().map(late).collect()),
                earliest: late(&figures.least_ms.spread().0),
            })
        };
        delays.push(Delay {
            milliseconds,
            native: late(Side::Native)?,
            switchyard: late(Side::Switchyard)?,
        });
    }
    Ok(delays)
}

fn tail(bench: &mut Bench) -> Result<(BySide, f64)> {
    bench.says("latency at 70 % of the native peak");
    let user = json!({"match": [{"headers": {"end-user": {"exact": "jason"}}}], "route": [to("reviews", "v2")]});
    let (envoy, sides) = start(bench, vec![user, json!({"route": [to("reviews", "v1")]})])?;
    let sides = sides.get(..2).context("two sides")?;
    // Many short turns: what else the machine does then falls into few of them, and not into the median.
    let plan = Plan {
        turn: bench.plan.turn.max(Duration::from_millis(10)),
        rounds: bench.plan.rounds * 5,
        connections: 64,
    };
    let mut clients = Sides::connect(&mut bench.load, sides, &Ask::new("/").bytes(), b"v1", plan)?;
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
