//! One configuration on one worker.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use log::{error, info, warn};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;
use switchyard::finding::{Finding, Severity};
use switchyard::plugin::sightings::Sighting;
use switchyard::plugin::{Cache, Plugin};

use crate::host;
use crate::shared::Shared;
use crate::stream::Stream;

/// Under it the VMs of one process tell one another which configurations they have accepted.
const CONFIGURATIONS: &str = "switchyard.configurations";

thread_local! {
    /// Configurations that follow one another, and those of several listeners, have much in common.
    static CACHE: RefCell<Cache> = RefCell::default();
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

    fn announce(&self) {
        let plugin = &self.shared.plugin;
        plugin.findings.iter().for_each(say);
        info!("switchyard {}: {}", env!("CARGO_PKG_VERSION"), plugin.table.summary());
        self.shared.metrics.config_loads.increment();
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
        let configuration = host::configuration().unwrap_or_default();
        let now = host::time();
        let mut seen = None;
        let is_judged = |sighting: Sighting| {
            seen = Some(sighting);
            host::shared(CONFIGURATIONS).is_some_and(|before| sighting.is_among(&before, now))
        };
        match CACHE.with_borrow_mut(|cache| cache.load(configuration, is_judged)) {
            Ok(plugin) => {
                self.shared = Rc::new(Shared::new(self.id, plugin));
                if host::update_shared(CONFIGURATIONS, |before| seen?.added_to(before, now)) {
                    self.announce();
                }
                true
            }
            Err(findings) => {
                findings.iter().for_each(say);
                error!("switchyard: the configuration is refused; the one before it stays");
                self.shared.metrics.config_rejects.increment();
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
