//! Whether a count can be chance.

/// Refused is what chance alone would bring about less than once in a million times.
const ONE_IN_A_MILLION: f64 = 1e-6;

/// Whether `count` of `trials` may well have come up, each with `probability`: a result at least as far out, on either side, has a
/// chance of one in a million or more.
pub fn may_be_chance(count: usize, trials: usize, probability: f64) -> bool {
    2.0 * tail(trials as u64, count as u64, probability) >= ONE_IN_A_MILLION
}

/// How likely it is that of so many trials so few, or so many, hit as `count`: the smaller of both.
pub fn tail(trials: u64, count: u64, probability: f64) -> f64 {
    let at_most = at_least(trials, trials - count, 1.0 - probability);
    at_least(trials, count, probability).min(at_most)
}

/// How likely it is that of so many trials `count` or more hit.
pub fn at_least(trials: u64, count: u64, probability: f64) -> f64 {
    if count == 0 || probability >= 1.0 {
        return 1.0;
    }
    if probability <= 0.0 {
        return 0.0;
    }
    // The logarithms of the chances of exactly 0, 1, 2, ... hits: each follows from the one before.
    let odds = (probability / (1.0 - probability)).ln();
    let next = |logarithm: &mut f64, hits: u64| {
        let this = *logarithm;
        *logarithm += ((trials - hits) as f64 / (hits + 1) as f64).ln() + odds;
        Some(this)
    };
    let chances = (0..=trials).scan(trials as f64 * (1.0 - probability).ln(), next);
    chances.skip(usize::try_from(count).unwrap()).map(f64::exp).sum()
}

#[test]
fn chances_of_either_side_add_up_to_one() {
    for (trials, probability) in [(1, 0.5), (40, 0.1), (2000, 0.5)] {
        let sum = at_least(trials, 1, probability) + at_least(trials, trials, 1.0 - probability);
        assert!((sum - 1.0).abs() < 1e-9, "{trials} x {probability}: {sum}");
    }
}

#[test]
fn twenty_one_heads_in_a_row_are_less_than_one_in_a_million() {
    // Either side of 2 x 2^-20 = 1.9e-6 and 2 x 2^-21 = 0.95e-6.
    assert!(may_be_chance(20, 20, 0.5) && may_be_chance(0, 20, 0.5));
    assert!(!may_be_chance(21, 21, 0.5) && !may_be_chance(0, 21, 0.5));
}

#[test]
fn the_bounds_of_two_thousand_lie_at_4_9_deviations() {
    let accepted: Vec<usize> = (0..=2000).filter(|count| may_be_chance(*count, 2000, 0.5)).collect();
    assert_eq!(accepted, (891..=1109).collect::<Vec<_>>());
}
