//! Shares in percent, as istiod hands them to Envoy.

use crate::action::fault::Fraction;
use crate::config::virtual_service::Percent;

/// A `Percent` in parts per million: the value times 10,000, cut off and not rounded, so 0.57 % is 5,699 of a million.
///
/// `translatePercentToFractionalPercent`, istio `pilot/pkg/networking/core/route/route.go`.
pub fn fraction(percent: &Percent) -> Fraction {
    Fraction {
        numerator: (percent.value * 10_000.0) as u32,
        denominator: 1_000_000,
    }
}

/// A whole percent of the deprecated fields.
pub fn whole(percent: i64) -> Fraction {
    Fraction {
        numerator: u32::try_from(percent).unwrap_or_default(),
        denominator: 100,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_cut_off_and_not_rounded() {
        let cases = [
            (50.0, 500_000),
            (0.57, 5_699),
            (0.69, 6_899),
            (1.13, 11_299),
            (0.0003, 2),
            (100.0, 1_000_000),
        ];
        cases
            .iter()
            .for_each(|(value, ppm)| assert_eq!(fraction(&Percent { value: *value }).numerator, *ppm, "{value}"));
    }
}
