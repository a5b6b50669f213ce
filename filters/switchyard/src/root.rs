//! One configuration on one worker.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use log::{error, info, warn};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;
use switchyard::delay_queue::DelayQueue;
use switchyard::dice::Wyrand;
use switchyard::finding::{Finding, Severity};
use switchyard::local_reply::LocalReply;
use switchyard::plugin::Plugin;

use crate::host;
use crate::metrics::Metrics;
use crate::mirrors::{Mirror, Mirrors};
use crate::stream::Stream;

/// How many streams one tick lets go on: each that Envoy answers at once calls back into this VM a level deeper, and some hundred levels
/// are more than its stack holds.
const RESUMED_PER_TICK: usize = 64;

/// What the streams of one configuration share. It lives under its root context, never in a static: two configurations share one VM.
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
}

/// What happens to a request that has waited.
pub enum Then {
    /// It goes on, and these copies of it are sent.
    Resume(Vec<Mirror>),
    /// It is answered.
    Reply(LocalReply),
}

impl Shared {
    fn new(root: u32, plugin: Plugin) -> Self {
        let mirrors = Mirrors::new(root, &plugin.options);
        Shared {
            plugin,
            dice: RefCell::new(Wyrand::new(host::random().unwrap_or_else(|| u64::from(root)))),
            metrics: Metrics::define(),
            mirrors,
            delays: RefCell::default(),
            epoch: host::now(),
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
        if delays.push(now + delay, stream, then) {
            host::set_timer(delays.next_in(now));
        }
        self.metrics.active_faults.add(1);
    }

    /// A stream that waited has gone on or away.
    pub fn leave(&self, stream: u32) {
        self.delays.borrow_mut().cancel(stream);
        self.metrics.active_faults.add(-1);
    }

    fn resume_due(&self) {
        let now = self.now();
        let due: Vec<(u32, Then)> = {
            let mut delays = self.delays.borrow_mut();
            std::iter::from_fn(|| delays.pop_due(now))
                .take(RESUMED_PER_TICK)
                .collect()
        };
        for (stream, then) in due {
            if !host::enter(stream) {
                continue;
            }
            match then {
                Then::Reply(reply) => host::reply(&reply),
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

/// The root context of one configuration.
pub struct Root {
    id: u32,
    shared: Rc<Shared>,
    /// Whether Envoy waits for us to be done.
    draining: Cell<bool>,
}

impl Root {
    /// A root context that has no configuration yet, and touches nothing.
    pub fn new(id: u32) -> Self {
        Root {
            id,
            shared: Rc::new(Shared::new(id, Plugin::default())),
            draining: Cell::new(false),
        }
    }
}

impl Context for Root {
    /// Copies under way keep the old configuration alive until they are answered.
    fn on_done(&mut self) -> bool {
        self.draining.set(!self.shared.mirrors.is_idle());
        !self.draining.get()
    }

    fn on_http_call_response(&mut self, _token: u32, headers: usize, _body: usize, _trailers: usize) {
        self.shared.mirrors.answered(headers, &self.shared.metrics);
        if self.draining.get() && self.shared.mirrors.is_idle() {
            host::done();
        }
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        match Plugin::load(&host::configuration().unwrap_or_default()) {
            Ok(plugin) => {
                plugin.findings.iter().for_each(say);
                info!("switchyard {}: {}", env!("CARGO_PKG_VERSION"), plugin.table.summary());
                self.shared = Rc::new(Shared::new(self.id, plugin));
                true
            }
            Err(findings) => {
                findings.iter().for_each(say);
                error!("switchyard: the configuration is refused; the one before it stays");
                false
            }
        }
    }

    fn on_tick(&mut self) {
        self.shared.resume_due();
    }

    fn on_queue_ready(&mut self, _queue: u32) {
        self.shared.mirrors.send_outgoing(&self.shared.metrics);
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream::new(id, Rc::clone(&self.shared))))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

fn say(finding: &Finding) {
    match finding.severity {
        Severity::Error => error!("{finding}"),
        Severity::Warning => warn!("{finding}"),
        Severity::Info => info!("{finding}"),
    }
}
