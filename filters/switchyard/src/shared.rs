//! What the streams of one configuration share on one worker.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use switchyard::decision::local_reply::LocalReply;
use switchyard::dice::Wyrand;
use switchyard::plugin::Plugin;
use switchyard::plugin::delay_queue::DelayQueue;

use crate::host;
use crate::metrics::{Counter, Metrics};
use crate::mirrors::{Mirror, Mirrors};

/// How many streams one tick lets go on: each that Envoy answers at once calls back into this VM a level deeper, and some hundred levels
/// are more than its stack holds.
const RESUMED_PER_TICK: usize = 64;

/// It lives under its root context, never in a static: two configurations share one VM.
pub struct Shared {
    /// What decides.
    pub plugin: Plugin,
    /// Where chance comes from.
    pub dice: RefCell<Wyrand>,
    /// What is counted.
    pub metrics: Metrics,
    /// Copies under way.
    pub mirrors: Mirrors,
    delays: RefCell<DelayQueue<Then>>,
    epoch: Instant,
    /// Whether a stream has come.
    in_use: Cell<bool>,
}

/// What happens to a request that has waited.
pub enum Then {
    /// It goes on, and these copies of it are sent.
    Resume(Vec<Mirror>),
    /// It is answered, and that is counted.
    Reply(LocalReply, Counter),
}

impl Shared {
    /// Nothing has happened yet under the root context `root`.
    pub fn new(root: u32, plugin: Plugin) -> Self {
        let mirrors = Mirrors::new(root, &plugin.options);
        let metrics = Metrics::define(plugin.generation);
        let rules = plugin
            .table
            .virtual_hosts
            .iter()
            .filter_map(|host| host.routes.as_ref());
        metrics.define_all(rules.flat_map(|routes| routes.iter()));
        Shared {
            metrics,
            plugin,
            dice: RefCell::new(Wyrand::new(host::random().unwrap_or_else(|| u64::from(root)))),
            mirrors,
            delays: RefCell::default(),
            epoch: host::now(),
            in_use: Cell::new(false),
        }
    }

    /// A stream has come.
    pub fn enter(&self) {
        if !self.in_use.replace(true) {
            self.metrics.config_in_use.increment();
        }
    }

    fn now(&self) -> Duration {
        host::now().saturating_duration_since(self.epoch)
    }

    /// Whether another request may wait.
    pub fn may_wait(&self) -> bool {
        self.delays.borrow().len() < usize::try_from(self.plugin.options.max_active_faults).unwrap_or_default()
    }

    /// Lets a stream wait.
    pub fn wait(&self, stream: u32, delay: Duration, then: Then) {
        let now = self.now();
        let mut delays = self.delays.borrow_mut();
        if delays.push(now, delay, stream, then) {
            host::set_timer(delays.next_in(now));
        }
        self.metrics.active_faults.add(1);
    }

    /// A stream that may still wait has gone away.
    pub fn leave(&self, stream: u32) {
        if self.delays.borrow_mut().cancel(stream) {
            self.metrics.active_faults.add(-1);
        }
    }

    /// Lets those go on that have waited long enough, some at a time.
    pub fn resume_due(&self) {
        let now = self.now();
        let due: Vec<(u32, Then)> = {
            let mut delays = self.delays.borrow_mut();
            std::iter::from_fn(|| delays.pop_due(now))
                .take(RESUMED_PER_TICK)
                .collect()
        };
        for (stream, then) in due {
            self.metrics.active_faults.add(-1);
            if !host::enter(stream) {
                continue;
            }
            match then {
                Then::Reply(reply, counter) => {
                    host::reply(&reply);
                    counter.increment();
                }
                Then::Resume(mirrors) => {
                    mirrors
                        .iter()
                        .for_each(|mirror| self.mirrors.send(mirror, b"", &self.metrics));
                    host::resume_request();
                }
            }
        }
        host::set_timer(self.delays.borrow().next_in(self.now()));
    }
}

impl Drop for Shared {
    /// The last stream has gone, and the root context.
    fn drop(&mut self) {
        if self.in_use.get() {
            self.metrics.config_in_use.add(-1);
        }
    }
}
