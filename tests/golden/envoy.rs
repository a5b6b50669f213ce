//! The filter in a real Envoy: every request goes through sockets, and what comes of it is seen from the client, Envoy's log and the upstreams.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream;

use crate::case::{Case, Exchange};
use crate::library::Possible;
use crate::outcome::Outcome;
use crate::report::{self, Report, SENT, Seen};
use crate::support::envoy::Envoy;
use client::{Client, Response};
use echo::Echo;
use log::Log;
use site::Site;

mod client;
mod echo;
mod log;
mod seen;
mod shares;
mod site;

/// The header that every request carries.
const CASE_ID: &str = "x-case-id";
/// The route to what the operator has beside us.
const OPERATOR: &str = "operator";
/// How many cases one Envoy has at most, so that several have something to do.
const SITES: usize = 24;
/// How many Envoys run at once.
const ENVOYS: usize = 3;
/// How many requests of one case may wait at the same time.
const WAITING: usize = 16;
/// How often one that came late is asked for again.
const AGAIN: usize = 3;
/// No log is waited for longer.
const PATIENCE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(20);

/// Runs the cases, each with what the library says may come of its requests; `native_mirrors` is the filter's option.
pub fn run(cases: &mut [(Case, Possible)], native_mirrors: bool) -> Report {
    cases.iter_mut().for_each(forget_fault_flags);
    if native_mirrors {
        let possible = cases.iter_mut().flat_map(|(_, possible)| possible.values_mut());
        let possible = possible.flatten().flatten();
        possible.for_each(|seen| seen.outcome.forget_mirrors_without_primary());
    }
    let mut report = Report::default();
    let mut echo = Echo::new();
    let mut alike: BTreeMap<String, Vec<(Site, &Possible)>> = BTreeMap::new();
    for (case, possible) in &*cases {
        match Site::new(case, native_mirrors, &mut echo) {
            Ok(site) => alike.entry(site.clusters()).or_default().push((site, possible)),
            Err(findings) => case
                .listeners
                .keys()
                .for_each(|port| report.refused(case, *port, &findings)),
        }
    }
    let mut fleets: VecDeque<Vec<(Site, &Possible)>> = VecDeque::new();
    for mut sites in alike.into_values() {
        while !sites.is_empty() {
            let rest = sites.split_off(SITES.min(sites.len()));
            fleets.push_back(std::mem::replace(&mut sites, rest));
        }
    }
    fleets
        .make_contiguous()
        .sort_by_key(|sites| std::cmp::Reverse(sites.len()));
    let (fleets, report, echo) = (Mutex::new(fleets), Mutex::new(report), &echo);
    let work = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        while let Some(fleet) = { fleets.lock().unwrap().pop_front() } {
            let found = runtime.block_on(serve(&fleet, echo));
            report.lock().unwrap().extend(found);
        }
    };
    std::thread::scope(|scope| (0..ENVOYS).for_each(|_| drop(scope.spawn(work))));
    report.into_inner().unwrap()
}

fn forget_fault_flags((case, possible): &mut (Case, Possible)) {
    let observed = case.listeners.values_mut().flatten();
    let observed = observed.flat_map(|exchange| &mut exchange.outcomes);
    let possible = possible.values_mut().flatten().flatten();
    observed
        .chain(possible.map(|seen| &mut seen.outcome))
        .for_each(Outcome::forget_fault_flags);
}

/// A request, as often as it is sent.
struct Asked<'a> {
    site: &'a Site<'a>,
    exchange: &'a Exchange,
    possible: &'a [Seen],
    address: SocketAddr,
    ids: Vec<String>,
}

impl Asked<'_> {
    /// Each time it is sent.
    fn each(&self) -> impl Iterator<Item = (&Self, &String)> {
        self.ids.iter().map(move |id| (self, id))
    }

    /// Whether it may have to wait.
    fn is_slow(&self) -> bool {
        let waits = |outcome: &Outcome| matches!(outcome, Outcome::Answered(answer) if answer.took_ms > 0);
        self.exchange.outcomes.iter().any(waits) || self.possible.iter().any(|seen| waits(&seen.outcome))
    }
}

/// What came back, by the request's id.
type Answers = RefCell<HashMap<String, Answered>>;
/// A connection may break.
type Answered = Result<Response, String>;

/// An Envoy, and who sees what it does.
struct Fleet<'a> {
    envoy: Envoy,
    log: Log,
    echo: &'a Echo,
}

/// Sends everything to one Envoy and compares what comes of it.
async fn serve(sites: &[(Site<'_>, &Possible)], echo: &Echo) -> Report {
    let directory = tempfile::tempdir().unwrap();
    let log = Log::new(directory.path().join("access.log"));
    let bootstrap = site::bootstrap(sites.iter().map(|(site, _)| site), log.path());
    let mut fleet = Fleet {
        envoy: Envoy::start(&bootstrap, directory.path()).await,
        log,
        echo,
    };
    let asked: Vec<Vec<Vec<Asked>>> = sites.iter().map(|(site, possible)| asked(site, possible)).collect();
    let answers = Answers::default();
    stream::iter(&asked)
        .for_each_concurrent(None, |listeners| ask(listeners, &answers))
        .await;
    fleet.copies_arrive().await;
    let mut report = Report::default();
    for asked in asked.iter().flatten().flatten() {
        let mut outcomes = Vec::new();
        for id in &asked.ids {
            let answered = answers.borrow_mut().remove(id).unwrap();
            outcomes.push(fleet.outcome(asked, id, &answered).await);
        }
        report.compare_sent(asked.site.case, asked.exchange, asked.possible, &outcomes);
    }
    for listener in asked.iter().flatten() {
        shares::check(&mut fleet, listener, &mut report).await;
    }
    report
}

impl Fleet<'_> {
    /// What came of a request. A machine that has much else to do is slow: what came late is asked for again, with nothing beside it.
    async fn outcome(&mut self, asked: &Asked<'_>, id: &str, answered: &Answered) -> Outcome {
        let mut outcome = self.seen(asked, id, answered).await;
        for time in 1..=AGAIN {
            if !report::is_late(asked.exchange, asked.possible, &outcome) {
                break;
            }
            let id = format!("{id}:{time}");
            let answered = Client::new(asked.address).send(&asked.exchange.request, &id).await;
            self.copies_arrive().await;
            outcome = self.seen(asked, &id, &answered).await;
        }
        outcome
    }

    async fn seen(&mut self, asked: &Asked<'_>, id: &str, answered: &Answered) -> Outcome {
        let response = match answered {
            Ok(response) => response,
            Err(error) => return Outcome::broken(error),
        };
        let line = self.log.line(id).await;
        let is_gateway = asked.site.case.proxy.is_gateway;
        seen::outcome(
            &asked.exchange.request,
            is_gateway,
            response,
            &line,
            &self.echo.take(id),
        )
    }

    /// Waits for the copies that Envoy is still sending; if they do not come, the comparison says so.
    async fn copies_arrive(&self) {
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            let stats = self.envoy.admin.stats().await;
            let count = |gauge| stats.sum("cluster.", gauge);
            if count(".upstream_rq_active") + count(".upstream_rq_pending_active") == 0 {
                return;
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

/// A site's requests, by listener. One that is sure is sent once.
fn asked<'a>(site: &'a Site, possible: &'a Possible) -> Vec<Vec<Asked<'a>>> {
    let case = site.case;
    let listener = |(port, exchanges): (&'a u16, &'a Vec<Exchange>)| {
        let exchanges = exchanges.iter().zip(&possible[port]);
        let asked = exchanges.map(|(exchange, possible)| {
            let times = if possible.len() == 1 { 1 } else { SENT };
            Asked {
                site,
                exchange,
                possible,
                address: site.addresses[port],
                ids: (0..times)
                    .map(|time| format!("{}:{}:{time}", case.name, exchange.line))
                    .collect(),
            }
        });
        asked.collect()
    };
    case.listeners.iter().map(listener).collect()
}

/// Sends a site's requests: one after the other, but those that wait at the same time.
async fn ask(listeners: &[Vec<Asked<'_>>], answers: &Answers) {
    let all = listeners.iter().flatten().flat_map(Asked::each);
    let (slow, quick): (Vec<_>, Vec<_>) = all.partition(|(asked, _)| asked.is_slow());
    let slow = stream::iter(slow).for_each_concurrent(WAITING, |(asked, id)| async move {
        let answered = Client::new(asked.address).send(&asked.exchange.request, id).await;
        answers.borrow_mut().insert(id.clone(), answered);
    });
    let quick = async {
        let mut clients: HashMap<SocketAddr, Client> = HashMap::new();
        for (asked, id) in quick {
            let client = clients.entry(asked.address).or_insert_with_key(|to| Client::new(*to));
            let answered = client.send(&asked.exchange.request, id).await;
            answers.borrow_mut().insert(id.clone(), answered);
        }
    };
    tokio::join!(slow, quick);
}
