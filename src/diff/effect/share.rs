//! Shares, as exactly as they can be said.

use crate::action::fault::Fraction;

/// As `90 %` where that is exact, or `1 of 3`. The whole of a total of none is all.
pub(super) fn share(part: u64, total: u64) -> String {
    const MILLION: u128 = 1_000_000;
    if part >= total {
        return "100 %".to_owned();
    }
    let scaled = u128::from(part) * MILLION;
    if scaled.is_multiple_of(u128::from(total)) {
        let millionths = scaled / u128::from(total);
        let text = format!("{}.{:04}", millionths / 10_000, millionths % 10_000);
        return format!("{} %", text.trim_end_matches('0').trim_end_matches('.'));
    }
    let divisor = greatest_common_divisor(part, total);
    format!("{} of {}", part / divisor, total / divisor)
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    match a.checked_rem(b) {
        Some(rest) => greatest_common_divisor(b, rest),
        None => a.max(1),
    }
}

pub(super) fn percent(fraction: Fraction) -> String {
    share(fraction.numerator.into(), fraction.denominator.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_reduced() {
        let half = |part, total| share(part, total);
        assert_eq!(
            (half(1, 2), half(50, 100), half(500, 1000)),
            ("50 %".to_owned(), "50 %".to_owned(), "50 %".to_owned())
        );
        assert_eq!((share(2, 6), share(1, 1000)), ("1 of 3".to_owned(), "0.1 %".to_owned()));
        assert_eq!(
            (share(7, 7), share(0, 7), share(3, 0)),
            ("100 %".to_owned(), "0 %".to_owned(), "100 %".to_owned())
        );
    }
}
