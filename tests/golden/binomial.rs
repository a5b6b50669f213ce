//! How likely a count is.

/// How likely it is that of `n` draws that hit with `p` so few, or so many, hit as `k`: the smaller of both.
pub fn tail(n: u64, k: u64, p: f64) -> f64 {
    at_least(n, k, p).min(at_least(n, n - k, 1.0 - p))
}

/// How likely it is that of `n` draws that hit with `p` at least `k` hit.
pub fn at_least(n: u64, k: u64, p: f64) -> f64 {
    if k == 0 || p >= 1.0 {
        return 1.0;
    }
    if p <= 0.0 {
        return 0.0;
    }
    // The logarithms of the chances of exactly 0, 1, 2, ... hits: each follows from the one before.
    let next = |ln: &mut f64, hits: u64| {
        let this = *ln;
        *ln += ((n - hits) as f64 / (hits + 1) as f64).ln() + p.ln() - (1.0 - p).ln();
        Some(this)
    };
    let chances = (0..=n).scan(n as f64 * (1.0 - p).ln(), next);
    chances.skip(usize::try_from(k).unwrap()).map(f64::exp).sum()
}
