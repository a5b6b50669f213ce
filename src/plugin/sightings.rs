//! Which configurations came by lately.
//!
//! Envoy gives each configuration to a VM on trial, to its main thread's and to every worker's. One of them speaks for all: the first, by
//! what they share through the host. The others need not judge again what it has accepted.

use std::time::Duration;

/// How long one is remembered: workers start as much later than the main thread as Envoy waits for its clusters.
const MEMORY: Duration = Duration::from_secs(60);
/// How many are remembered.
const MOST: usize = 64;

/// A configuration, as VMs tell one another of it.
#[derive(Debug, Clone, Copy)]
pub struct Sighting([u8; 8]);

impl Sighting {
    /// Of a configuration whose text has this hash, which is the same in every VM.
    pub fn new(hash: u64) -> Self {
        Sighting(hash.to_le_bytes())
    }

    /// Whether it is among those before it, all as bytes, at a time since any fixed point.
    pub fn is_among(self, before: &[u8], now: Duration) -> bool {
        kept(before, now).any(|entry| entry.starts_with(&self.0))
    }

    /// Those before it with this one. None if it is among them already.
    pub fn added_to(self, before: &[u8], now: Duration) -> Option<Vec<u8>> {
        if self.is_among(before, now) {
            return None;
        }
        let oldest = kept(before, now).count().saturating_sub(MOST - 1);
        let mut after: Vec<u8> = kept(before, now).skip(oldest).flatten().copied().collect();
        after.extend(self.0);
        after.extend(now.as_secs().to_le_bytes());
        Some(after)
    }
}

fn kept(before: &[u8], now: Duration) -> impl Iterator<Item = &[u8; 16]> {
    let (entries, _) = before.as_chunks();
    entries.iter().filter(move |entry| {
        let seen = entry.last_chunk().map_or(0, |time| u64::from_le_bytes(*time));
        now.as_secs().saturating_sub(seen) < MEMORY.as_secs()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Duration = Duration::from_secs(1000);

    fn add(before: &[u8], hash: u64, now: Duration) -> Option<Vec<u8>> {
        Sighting::new(hash).added_to(before, now)
    }

    #[test]
    fn the_first_to_see_a_configuration_speaks() {
        let a = add(b"", 1, AT).unwrap();
        assert_eq!(add(&a, 1, AT + Duration::from_secs(59)), None);
        let both = add(&a, 2, AT).unwrap();
        assert_eq!((add(&both, 1, AT), add(&both, 2, AT)), (None, None));
    }

    #[test]
    fn one_that_comes_back_after_a_minute_is_new() {
        let a = add(b"", 1, AT).unwrap();
        assert_eq!(add(&a, 1, AT + MEMORY).map(|after| after.len()), Some(16));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut seen = Vec::new();
        for number in 0..1000 {
            seen = add(&seen, number, AT).unwrap();
        }
        assert_eq!(seen.len(), MOST * 16);
        assert_eq!(add(&seen, 999, AT), None);
    }
}
