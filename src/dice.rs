//! Where chance comes from: never from inside a decision.

/// Draws. One request takes one [`stream_id`](Dice::stream_id) for weights and mirrors, and a fresh number for each fault, as Envoy does.
pub trait Dice {
    /// 64 random bits.
    fn next(&mut self) -> u64;
}

/// Wyrand: good enough to split traffic, and a few instructions long.
#[derive(Debug, Clone)]
pub struct Wyrand(u64);

impl Wyrand {
    /// A generator for `seed`; the same seed gives the same numbers.
    pub fn new(seed: u64) -> Self {
        Wyrand(seed)
    }
}

impl Dice for Wyrand {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0xa076_1d64_78bd_642f);
        let product = u128::from(self.0).wrapping_mul(u128::from(self.0 ^ 0xe703_7ed1_a0b4_28db));
        (product >> 64) as u64 ^ product as u64
    }
}

/// Numbers that are known beforehand, and zero once they are used up: for tests and for questions like "what if".
#[derive(Debug, Clone, Default)]
pub struct Fixed(pub std::collections::VecDeque<u64>);

impl Dice for Fixed {
    fn next(&mut self) -> u64 {
        self.0.pop_front().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wyrand_spreads_evenly_over_a_hundred() {
        let mut dice = Wyrand::new(7);
        let mut seen = [0_i32; 100];
        (0..100_000).for_each(|_| seen[(dice.next() % 100) as usize] += 1);
        assert!(seen.iter().all(|n| (n - 1000).abs() < 160), "{seen:?}");
    }
}
