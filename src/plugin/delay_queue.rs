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
    /// How early something counts as due: timers may fire a little before their time, and another round would cost more than it gains.
    const EARLY: Duration = Duration::from_millis(1);

    /// How many wait.
    pub fn len(&self) -> usize {
        self.due.len()
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.due.is_empty()
    }

    /// Lets `stream` wait until `deadline`. Whether it is the first that is due now, so that the timer has to be set anew.
    pub fn push(&mut self, deadline: Duration, stream: u32, then: T) -> bool {
        self.cancel(stream);
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
        let entry = self
            .due
            .first_entry()
            .filter(|entry| entry.key().0 <= now + Self::EARLY)?;
        let ((_, stream), then) = entry.remove_entry();
        self.deadlines.remove(&stream);
        Some((stream, then))
    }

    /// How long until the earliest counts as due, in whole milliseconds and at least one; none if nobody waits.
    pub fn next_in(&self, now: Duration) -> Option<Duration> {
        let ((deadline, _), _) = self.due.first_key_value()?;
        let wait = deadline
            .saturating_sub(now + Self::EARLY)
            .as_nanos()
            .div_ceil(1_000_000)
            .max(1);
        Some(Duration::from_millis(u64::try_from(wait).unwrap_or(u64::MAX)))
    }
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
        assert!(queue.push(ms(30), 1, "a"));
        assert!(queue.push(ms(10), 2, "b"));
        assert!(!queue.push(ms(20), 3, "c"));
        assert!(queue.cancel(3) && !queue.cancel(3));
        assert_eq!(queue.next_in(ms(0)), Some(ms(9)));
        assert_eq!(queue.pop_due(ms(8)), None);
        assert_eq!(queue.pop_due(ms(9)), Some((2, "b")));
        assert_eq!(queue.pop_due(ms(40)), Some((1, "a")));
        assert!(queue.is_empty() && queue.next_in(ms(40)).is_none());
    }

    #[test]
    fn what_is_overdue_comes_within_a_millisecond() {
        let mut queue = DelayQueue::default();
        queue.push(ms(10), 1, ());
        assert_eq!(queue.next_in(ms(50)), Some(ms(1)));
    }
}
