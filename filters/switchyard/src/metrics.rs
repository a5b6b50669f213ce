//! What is counted.

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use hashbrown::HashMap;
use switchyard::action::{Cluster, RequestMirrorPolicy};
use switchyard::decision::Routed;
use switchyard::metric::{self, Metric};
use switchyard::route::Route;

use crate::host;

/// So many routes' counters are registered with the configuration. Each takes about 2 us, and requests wait meanwhile.
const AT_ONCE: usize = 1000;

thread_local! {
    /// Those of all configurations, by the address of the route. As long as they live, a configuration keeps the route in its place.
    static REGISTERED: RefCell<HashMap<usize, Weak<RouteMetrics>>> = RefCell::default();
}

/// The counters of one configuration. Names hold nothing of a request, so there are as many of them whatever clients send.
#[derive(Debug, Default)]
pub struct Metrics {
    /// [`metric::UNMATCHED`].
    pub unmatched: Counter,
    /// [`metric::ACTIVE_FAULTS`].
    pub active_faults: Counter,
    /// [`metric::FAULTS_OVERFLOW`].
    pub faults_overflow: Counter,
    /// [`metric::MIRROR_FAILURES`].
    pub mirror_failures: Counter,
    /// [`metric::MIRRORS_SKIPPED`].
    pub mirrors_skipped: Counter,
    /// [`metric::MIRROR_HEADERS_SKIPPED`].
    pub mirror_headers_skipped: Counter,
    /// [`metric::CONFIG_LOADS`].
    pub config_loads: Counter,
    /// [`metric::CONFIG_REJECTS`].
    pub config_rejects: Counter,
    /// [`metric::CONFIG_IN_USE`].
    pub config_in_use: Counter,
    /// By the address of the route, which the configuration keeps in its place.
    routes: RefCell<HashMap<usize, Rc<RouteMetrics>>>,
}

/// One of them; it counts nothing where Envoy has refused its name.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counter(Option<u32>);

impl Counter {
    /// Registers it, which takes a lock.
    fn define(metric: Metric, labels: &[&str]) -> Self {
        Counter(host::metric(metric.kind, &metric.with(labels)))
    }

    /// Adds one.
    pub fn increment(self) {
        self.add(1);
    }

    /// Adds any number.
    pub fn add(self, offset: i64) {
        if let Some(id) = self.0.filter(|_| offset != 0) {
            host::add(id, offset);
        }
    }
}

impl Metrics {
    /// Registers those that are there from the start.
    pub fn define(generation: Option<u32>) -> Self {
        let in_use = |number: u32| Counter::define(metric::CONFIG_IN_USE, &[&number.to_string()]);
        let counter = |metric| Counter::define(metric, &[]);
        Metrics {
            unmatched: counter(metric::UNMATCHED),
            active_faults: counter(metric::ACTIVE_FAULTS),
            faults_overflow: counter(metric::FAULTS_OVERFLOW),
            mirror_failures: counter(metric::MIRROR_FAILURES),
            mirrors_skipped: counter(metric::MIRRORS_SKIPPED),
            mirror_headers_skipped: counter(metric::MIRROR_HEADERS_SKIPPED),
            config_loads: counter(metric::CONFIG_LOADS),
            config_rejects: counter(metric::CONFIG_REJECTS),
            config_in_use: generation.map(in_use).unwrap_or_default(),
            routes: RefCell::default(),
        }
    }

    /// Registers those of as many routes as are soon registered. Then they stand at 0 before the first request, and when one virtual machine
    /// takes over from another, Envoy keeps what they counted. Routes that another configuration has, too, are registered already.
    pub fn define_all<'r>(&self, routes: impl Iterator<Item = &'r Arc<Route>>) {
        REGISTERED.with_borrow_mut(|all| all.retain(|_, metrics| metrics.strong_count() > 0));
        for route in routes {
            let is_registered = || REGISTERED.with_borrow(|all| all.contains_key(&Arc::as_ptr(route).addr()));
            if self.routes.borrow().len() < AT_ONCE || is_registered() {
                self.of(route);
            }
        }
    }

    /// Those of a route of this configuration, registered when its first request comes at the latest.
    pub fn of(&self, route: &Arc<Route>) -> Rc<RouteMetrics> {
        let address = Arc::as_ptr(route).addr();
        let mut routes = self.routes.borrow_mut();
        Rc::clone(routes.entry(address).or_insert_with(|| registered(address, route)))
    }
}

fn registered(address: usize, route: &Route) -> Rc<RouteMetrics> {
    let known = REGISTERED.with_borrow(|all| all.get(&address).and_then(Weak::upgrade));
    known.unwrap_or_else(|| {
        let metrics = Rc::new(RouteMetrics::define(route));
        REGISTERED.with_borrow_mut(|all| all.insert(address, Rc::downgrade(&metrics)));
        metrics
    })
}

/// What is counted of one route.
#[derive(Debug)]
pub struct RouteMetrics {
    /// What logs call the route.
    pub label: Box<str>,
    /// [`metric::REQUESTS`], by destination; a single one where the route has none.
    requests: Box<[Counter]>,
    /// [`metric::DELAYS_INJECTED`].
    pub delays_injected: Counter,
    /// [`metric::ABORTS_INJECTED`].
    pub aborts_injected: Counter,
    /// [`metric::MIRRORED`], by mirror.
    mirrored: Box<[Counter]>,
}

impl RouteMetrics {
    fn define(route: &Route) -> Self {
        let label = route.label();
        let to = |metric, cluster: &Cluster| {
            let (subset, host) = cluster.subset_and_host();
            Counter::define(metric, &[&label, subset, host, &route.rule.stat_prefix])
        };
        let fault = &route.action.fault;
        let injected = |metric, is_written: bool| {
            if is_written {
                Counter::define(metric, &[&label])
            } else {
                Counter::default()
            }
        };
        let forward = route.action.forward();
        RouteMetrics {
            requests: match forward {
                Some(forward) => forward
                    .clusters
                    .iter()
                    .map(|destination| to(metric::REQUESTS, &destination.cluster))
                    .collect(),
                None => [Counter::define(
                    metric::REQUESTS,
                    &[&label, "", "", &route.rule.stat_prefix],
                )]
                .into(),
            },
            delays_injected: injected(metric::DELAYS_INJECTED, fault.delay.is_some()),
            aborts_injected: injected(metric::ABORTS_INJECTED, fault.abort.is_some()),
            mirrored: forward
                .iter()
                .flat_map(|forward| &forward.mirrors)
                .map(|mirror| to(metric::MIRRORED, &mirror.cluster))
                .collect(),
            label: label.into(),
        }
    }

    /// Requests to a destination, by its position.
    pub fn requests(&self, destination: usize) -> Counter {
        self.requests.get(destination).copied().unwrap_or_default()
    }

    /// Copies to one of the route's mirrors.
    pub fn mirrored(&self, routed: &Routed, mirror: &RequestMirrorPolicy) -> Counter {
        let mirrors = routed.forward().map_or(&[][..], |forward| &forward.mirrors);
        let position = mirrors.iter().position(|other| std::ptr::eq(other, mirror));
        let counter = position.and_then(|position| self.mirrored.get(position));
        counter.copied().unwrap_or_default()
    }
}
