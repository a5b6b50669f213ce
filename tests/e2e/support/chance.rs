//! Whether a count can be chance.

/// Refused is what chance alone would bring about less than once in a million times.
const ONE_IN_A_MILLION: f64 = 1e-6;

/// Whether `count` of `trials` may well have come up, each with `probability`: a result at least as far out, on either side, has a
/// chance of one in a million or more.
pub fn may_be_chance(count: usize, trials: usize, probability: f64) -> bool {
    let chances = binomial(trials, probability);
    let at_most: f64 = chances[..=count].iter().sum();
    let at_least: f64 = chances[count..].iter().sum();
    2.0 * at_most.min(at_least) >= ONE_IN_A_MILLION
}

/// The chances of 0, 1, ... `trials` successes.
fn binomial(trials: usize, probability: f64) -> Vec<f64> {
    let odds = (probability / (1.0 - probability)).ln();
    let mut logarithm = trials as f64 * (1.0 - probability).ln();
    let mut chances = vec![logarithm.exp()];
    for count in 1..=trials {
        logarithm += ((trials - count + 1) as f64 / count as f64).ln() + odds;
        chances.push(logarithm.exp());
    }
    chances
}

#[test]
fn chances_add_up_to_one() {
    for (trials, probability) in [(1, 0.5), (40, 0.1), (2000, 0.5)] {
        let sum: f64 = binomial(trials, probability).iter().sum();
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
