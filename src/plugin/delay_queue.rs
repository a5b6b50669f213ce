//! Requests that wait.

use std::collections::BTreeMap;
use std::time::Duration;

use hashbrown::HashMap;

/// Who waits until when, and what is to be done then. Times are durations since any fixed point.
#[derive(Debug)]
pub struct DelayQueue<T> {
    due: BTreeMap<(Duration, u32), T>,
    deadlines: HashMap<u32, Duration>,
}

impl<T> Default for DelayQueue<T> {
    fn default() -> Self {
        DelayQueue {
            due: BTreeMap::new(),
            deadlines: HashMap::new(),
        }
    }
}

impl<T> DelayQueue<T> {
    /// How many wait.
    pub fn len(&self) -> usize {
        self.due.len()
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.due.is_empty()
    }

    /// Lets `stream` wait from `now` on. Whether it is the first that is due now, so that the timer has to be set anew.
    pub fn push(&mut self, now: Duration, delay: Duration, stream: u32, then: T) -> bool {
        self.cancel(stream);
        let deadline = now + delay.saturating_sub(early(delay));
        self.deadlines.insert(stream, deadline);
        self.due.insert((deadline, stream), then);
        self.due
            .first_key_value()
            .is_some_and(|((_, first), _)| *first == stream)
    }

    /// A stream that went away waits no more. Whether it was waiting.
    pub fn cancel(&mut self, stream: u32) -> bool {
        let deadline = self.deadlines.remove(&stream);
        deadline.is_some_and(|deadline| self.due.remove(&(deadline, stream)).is_some())
    }

    /// Takes the earliest, if it is due.
    pub fn pop_due(&mut self, now: Duration) -> Option<(u32, T)> {
        let entry = self.due.first_entry().filter(|entry| entry.key().0 <= now)?;
        let ((_, stream), then) = entry.remove_entry();
        self.deadlines.remove(&stream);
        Some((stream, then))
    }

    /// How long until the earliest is due, in whole milliseconds and at least one; none if nobody waits.
    pub fn next_in(&self, now: Duration) -> Option<Duration> {
        let ((deadline, _), _) = self.due.first_key_value()?;
        let wait = deadline.saturating_sub(now).as_nanos().div_ceil(1_000_000).max(1);
        Some(Duration::from_millis(u64::try_from(wait).unwrap_or(u64::MAX)))
    }
}

/// How long before its time something counts as due. Envoy's timers go by a clock that moves every 4 ms on most machines: whoever waits for
/// the time itself is late by half of that, and so `make bench` shows this much to be as often early as late, and never as early as Envoy's
/// own fault filter may be. Of a short delay it would be too much.
fn early(delay: Duration) -> Duration {
    (delay / 5).min(Duration::from_micros(2500))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn the_earliest_comes_first_and_whoever_left_does_not_come() {
        let mut queue = DelayQueue::default();
        assert!(queue.push(ms(0), ms(30), 1, "a"));
        assert!(queue.push(ms(0), ms(10), 2, "b"));
        assert!(!queue.push(ms(5), ms(15), 3, "c"));
        assert!(queue.cancel(3) && !queue.cancel(3));
        assert_eq!(queue.next_in(ms(0)), Some(ms(8)));
        assert_eq!(queue.pop_due(ms(7)), None);
        assert_eq!(queue.pop_due(ms(8)), Some((2, "b")));
        assert_eq!(queue.pop_due(ms(40)), Some((1, "a")));
        assert!(queue.is_empty() && queue.next_in(ms(40)).is_none());
    }

    #[test]
    fn what_is_overdue_comes_within_a_millisecond() {
        let mut queue = DelayQueue::default();
        queue.push(ms(0), ms(10), 1, ());
        assert_eq!(queue.next_in(ms(50)), Some(ms(1)));
    }

    #[test]
    fn nobody_goes_more_than_a_fifth_early_nor_more_than_two_milliseconds_and_a_half() {
        let due = |delay| {
            let mut queue = DelayQueue::default();
            queue.push(ms(0), ms(delay), 1, ());
            (0..=delay).find(|now| queue.pop_due(ms(*now)).is_some())
        };
        assert_eq!([0, 1, 10, 30, 5000].map(due), [0, 1, 8, 28, 4998].map(Some));
    }
}
