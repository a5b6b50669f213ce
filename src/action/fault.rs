//! Injected delays and aborts.

use std::time::Duration;

use crate::dice::Dice;

/// How many of how many, as Envoy's `FractionalPercent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fraction {
    /// Of `denominator` that many; more than that is all.
    pub numerator: u32,
    /// 100 or 1,000,000.
    pub denominator: u32,
}

impl Fraction {
    /// Everything.
    pub const ALL: Fraction = Fraction {
        numerator: 100,
        denominator: 100,
    };

    /// Whether a random number falls within.
    pub fn takes(self, random: u64) -> bool {
        random % u64::from(self.denominator.max(1)) < u64::from(self.numerator)
    }

    /// Whether it is everything.
    pub fn is_all(self) -> bool {
        self.numerator >= self.denominator
    }

    /// As a share of one.
    pub fn share(self) -> f64 {
        (f64::from(self.numerator) / f64::from(self.denominator.max(1))).min(1.0)
    }
}

/// `fault`, compiled. The two are drawn apart: an aborted request may have waited before.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Fault {
    /// How long whom.
    pub delay: Option<(Duration, Fraction)>,
    /// With what whom.
    pub abort: Option<(Abort, Fraction)>,
}

/// How an abort answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Abort {
    /// With a status.
    Http(u16),
    /// With 200 and a gRPC status.
    Grpc(u8),
}

impl Fault {
    /// Draws for one request, each fault with a fresh number, as Envoy's fault filter does.
    pub fn draw(&self, dice: &mut impl Dice) -> (Option<Duration>, Option<Abort>) {
        (hit(self.delay, dice), hit(self.abort, dice))
    }
}

fn hit<T>(fault: Option<(T, Fraction)>, dice: &mut impl Dice) -> Option<T> {
    fault.and_then(|(effect, fraction)| (fraction.numerator > 0 && fraction.takes(dice.next())).then_some(effect))
}

/// gRPC's statuses by name, in the order of their numbers.
pub const GRPC_STATUSES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Fixed;

    #[test]
    fn delay_and_abort_have_their_own_draws() {
        let half = Fraction {
            numerator: 500_000,
            denominator: 1_000_000,
        };
        let fault = Fault {
            delay: Some((Duration::from_secs(1), half)),
            abort: Some((Abort::Http(500), half)),
        };
        let draw = |a, b| fault.draw(&mut Fixed([a, b].into()));
        assert_eq!(draw(499_999, 500_000), (Some(Duration::from_secs(1)), None));
        assert_eq!(draw(500_000, 499_999), (None, Some(Abort::Http(500))));
    }
}
