//! Copies of requests under way.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use switchyard::action::RequestMirrorPolicy;
use switchyard::config::Options;
use switchyard::decision::{Routed, mirror};
use switchyard::header::edits::HeaderEdits;
use switchyard::header::map::HeaderMap;
use switchyard::request::Request;

use crate::host;
use crate::metrics::{Counter, Metrics, RouteMetrics};

/// A copy to be sent.
#[derive(Debug)]
pub struct Mirror {
    /// Where to.
    pub cluster: String,
    /// With the host it goes to.
    pub headers: HeaderMap,
    /// For the whole exchange.
    pub timeout: Duration,
    /// Counts it, once it is sent.
    pub sent: Counter,
}

impl Mirror {
    /// The copies of a request, each with the headers that it goes upstream with.
    pub fn all(
        routed: &Routed,
        metrics: &RouteMetrics,
        request: &Request,
        edits: &HeaderEdits,
        options: &Options,
    ) -> Vec<Mirror> {
        let headers = mirror::headers(&edits.applied(), options.shadow_host_suffix);
        let own = Duration::from_millis(u64::try_from(options.mirror_timeout_ms).unwrap_or_default());
        let timeout = routed.forward().and_then(|forward| forward.timeout).unwrap_or(own);
        let copy = |mirror: &RequestMirrorPolicy| Mirror {
            sent: metrics.mirrored(routed, mirror),
            cluster: mirror.cluster.name(|| request.port()).into_owned(),
            headers: headers.clone(),
            timeout,
        };
        routed.mirrors().map(copy).collect()
    }
}

/// One configuration's copies, and the bounds they keep.
#[derive(Debug, Default)]
pub struct Mirrors {
    /// The root context, to which answers come.
    root: u32,
    /// Copies that were sent and not answered.
    active: Cell<usize>,
    max_active: usize,
    /// Bytes of bodies that are kept until they are whole.
    buffered: Cell<usize>,
    max_buffered: usize,
    max_body: usize,
    /// Handed from a stream to the root context, which sends it.
    outgoing: RefCell<Option<(Mirror, Vec<u8>)>>,
}

unsafe extern "C" {
    /// The SDK's own entry for a message to a root context.
    fn proxy_on_queue_ready(context: u32, queue: u32);
}

impl Mirrors {
    /// None under way, within the bounds of `options`.
    pub fn new(root: u32, options: &Options) -> Self {
        let limit = |value: i64| usize::try_from(value).unwrap_or_default();
        Mirrors {
            root,
            max_active: limit(options.max_active_mirrors),
            max_buffered: limit(options.max_mirror_buffer_bytes),
            max_body: limit(options.max_mirror_body_bytes),
            ..Mirrors::default()
        }
    }

    /// Whether nothing is waited for.
    pub fn is_idle(&self) -> bool {
        self.active.get() == 0
    }

    /// Whether there is room for `more` bytes of a body of which `kept` are there: it may get too long, or all of them together.
    pub fn has_room(&self, kept: usize, more: usize) -> bool {
        kept + more <= self.max_body && self.buffered.get() + more <= self.max_buffered
    }

    /// Takes room.
    pub fn keep(&self, bytes: usize) {
        self.buffered.set(self.buffered.get() + bytes);
    }

    /// Gives room back.
    pub fn release(&self, bytes: usize) {
        self.buffered.set(self.buffered.get().saturating_sub(bytes));
    }

    /// Sends a copy from a stream's callback. Its answer has to come to the root context, which outlives the stream, and the SDK binds
    /// answers to the context whose callback is running: so the root context's own callback sends it, called here as the host would.
    pub fn send_from_stream(&self, mirror: Mirror, body: Vec<u8>) {
        self.outgoing.replace(Some((mirror, body)));
        // SAFETY: the SDK exports this function. It holds the streams' map while a stream's callback runs, and here takes the roots'.
        unsafe { proxy_on_queue_ready(self.root, 0) };
    }

    /// The root context's part of [`Self::send_from_stream`].
    pub fn send_outgoing(&self, metrics: &Metrics) {
        let outgoing = self.outgoing.borrow_mut().take();
        if let Some((mirror, body)) = outgoing {
            self.send(&mirror, &body, metrics);
        }
    }

    /// Sends a copy from a root context's callback.
    pub fn send(&self, mirror: &Mirror, body: &[u8], metrics: &Metrics) {
        if self.active.get() >= self.max_active {
            return metrics.mirrors_skipped.increment();
        }
        let mut headers = Vec::new();
        let mut skipped = 0;
        for (name, value) in mirror.headers.iter() {
            match (std::str::from_utf8(name), std::str::from_utf8(value)) {
                (Ok(name), Ok(value)) => headers.push((name, value)),
                _ => skipped += 1,
            }
        }
        metrics.mirror_headers_skipped.add(skipped);
        if host::call(&mirror.cluster, headers, body, mirror.timeout) {
            self.active.set(self.active.get() + 1);
            mirror.sent.increment();
        } else {
            metrics.mirror_failures.increment();
        }
    }

    /// An answer, or the news that there will be none.
    pub fn answered(&self, headers: usize, metrics: &Metrics) {
        self.active.set(self.active.get().saturating_sub(1));
        if host::call_status(headers).is_none_or(|status| status >= 500) {
            metrics.mirror_failures.increment();
        }
    }
}
