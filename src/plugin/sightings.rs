//! Which configurations came by lately.
//!
//! Envoy gives each configuration to a VM on trial, to its main thread's and to every worker's. One of them speaks for all: the first, by
//! what they share through the host.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// How long one is remembered: workers start as much later than the main thread as Envoy waits for its clusters.
const MEMORY: Duration = Duration::from_secs(60);
/// How many are remembered.
const MOST: usize = 64;

/// Adds a sighting to those before it, all as bytes, at a time since any fixed point. None if this configuration was seen already.
pub fn add(before: &[u8], configuration: &[u8], now: Duration) -> Option<Vec<u8>> {
    // Without keys: every VM hashes alike.
    let mut hasher = DefaultHasher::new();
    configuration.hash(&mut hasher);
    let hash = hasher.finish().to_le_bytes();
    let now = now.as_secs();
    let fresh = |entry: &&[u8; 16]| {
        let seen = entry.last_chunk().map_or(0, |time| u64::from_le_bytes(*time));
        now.saturating_sub(seen) < MEMORY.as_secs()
    };
    let (entries, _) = before.as_chunks();
    let kept: Vec<&[u8; 16]> = entries.iter().filter(fresh).collect();
    if kept.iter().any(|entry| entry.starts_with(&hash)) {
        return None;
    }
    let oldest = kept.len().saturating_sub(MOST - 1);
    let mut after: Vec<u8> = kept.into_iter().skip(oldest).flatten().copied().collect();
    after.extend(hash);
    after.extend(now.to_le_bytes());
    Some(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Duration = Duration::from_secs(1000);

    #[test]
    fn the_first_to_see_a_configuration_speaks() {
        let a = add(b"", b"a", AT).unwrap();
        assert_eq!(add(&a, b"a", AT + Duration::from_secs(59)), None);
        let both = add(&a, b"b", AT).unwrap();
        assert_eq!((add(&both, b"a", AT), add(&both, b"b", AT)), (None, None));
    }

    #[test]
    fn one_that_comes_back_after_a_minute_is_new() {
        let a = add(b"", b"a", AT).unwrap();
        assert_eq!(add(&a, b"a", AT + MEMORY).map(|after| after.len()), Some(16));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut seen = Vec::new();
        for number in 0..1000_u32 {
            seen = add(&seen, &number.to_le_bytes(), AT).unwrap();
        }
        assert_eq!(seen.len(), MOST * 16);
        assert_eq!(add(&seen, &999_u32.to_le_bytes(), AT), None);
    }
}
