//! What is counted.

use crate::host;

/// The counters of one configuration. Names hold nothing of a request, so there are as many of them whatever clients send.
#[derive(Debug, Clone, Copy, Default)]
pub struct Metrics {
    /// Requests to a host that has rules, none of which matched.
    pub unmatched: Counter,
    /// Requests that were delayed.
    pub delays_injected: Counter,
    /// Requests that were aborted.
    pub aborts_injected: Counter,
    /// Requests that wait in a delay now.
    pub active_faults: Counter,
    /// Faults that were skipped because too many waited.
    pub faults_overflow: Counter,
    /// Copies that were sent.
    pub mirrored: Counter,
    /// Copies that Envoy did not take, or that were answered with 5xx or not at all.
    pub mirror_failures: Counter,
    /// Copies that were not made: too long a body, too many at once, or a request that cannot be copied.
    pub mirrors_skipped: Counter,
    /// Header lines left out of copies because they are not UTF-8.
    pub mirror_headers_skipped: Counter,
}

/// One of them; it counts nothing where Envoy has refused its name.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counter(Option<u32>);

impl Counter {
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
    /// Registers all of them: once a configuration, for it takes a lock.
    pub fn define() -> Self {
        let counter = |name: &str| Counter(host::counter(name));
        Metrics {
            unmatched: counter("switchyard_unmatched_total"),
            delays_injected: counter("switchyard_delays_injected_total"),
            aborts_injected: counter("switchyard_aborts_injected_total"),
            active_faults: Counter(host::gauge("switchyard_active_faults")),
            faults_overflow: counter("switchyard_faults_overflow_total"),
            mirrored: counter("switchyard_mirrored_total"),
            mirror_failures: counter("switchyard_mirror_failures_total"),
            mirrors_skipped: counter("switchyard_mirrors_skipped_total"),
            mirror_headers_skipped: counter("switchyard_mirror_headers_skipped_total"),
        }
    }
}
