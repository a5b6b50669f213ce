//! Mirrors that Envoy's router makes itself: which of a rule's a request may draw, and how the overlay route that has them is asked for.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::RequestMirrorPolicy;

/// The value of [`crate::reserved::MIRROR`] that picks the route with mirrors to these clusters; none without mirrors. It says what it is, so
/// the same mirrors have the same name in every configuration, and routes may change before or after the filter does.
pub fn key<'a>(mut clusters: impl Iterator<Item = Cow<'a, str>>) -> Option<Cow<'a, str>> {
    let first = clusters.next()?;
    Some(clusters.fold(first, |key, cluster| Cow::Owned(format!("{key} {cluster}"))))
}

/// The mirrors that a random number draws. One number draws for all of them and for the weights, as in Envoy.
pub fn drawn(mirrors: &[RequestMirrorPolicy], random: u64) -> impl Iterator<Item = &RequestMirrorPolicy> {
    mirrors.iter().filter(move |mirror| mirror.fraction.takes(random))
}

/// The clusters of all mirrors that one number may draw together, for a listener that knows its port.
pub fn sets(mirrors: &[RequestMirrorPolicy]) -> BTreeSet<Vec<Cow<'_, str>>> {
    // From one numerator to the next only the rest of a hundred decides, and that only where whole percents are written.
    let in_percent = |mirror: &RequestMirrorPolicy| mirror.fraction.denominator == 100 && !mirror.fraction.is_all();
    let rests = if mirrors.iter().any(in_percent) { 100 } else { 1 };
    let begins = mirrors.iter().map(|mirror| u64::from(mirror.fraction.numerator));
    let draws = begins.chain([0]).flat_map(|begin| begin..begin + rests);
    let names = |draw| drawn(mirrors, draw).map(|mirror| mirror.cluster.name(u16::default));
    let sets = draws.map(|draw| names(draw).collect::<Vec<_>>());
    sets.filter(|set| !set.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::Cluster;
    use crate::action::fault::Fraction;
    use crate::dice::{Dice, Wyrand};

    fn mirrors(shares: &[(&str, u32, u32)]) -> Vec<RequestMirrorPolicy> {
        let mirror = |(host, numerator, denominator): &(&str, u32, u32)| RequestMirrorPolicy {
            cluster: Cluster::new(Some(80), "", host),
            fraction: Fraction {
                numerator: *numerator,
                denominator: *denominator,
            },
        };
        shares.iter().map(mirror).collect()
    }

    fn keys(mirrors: &[RequestMirrorPolicy]) -> Vec<String> {
        let keys = sets(mirrors).into_iter().filter_map(|set| key(set.into_iter()));
        keys.map(Cow::into_owned).collect()
    }

    #[test]
    fn a_set_is_named_by_its_clusters() {
        assert_eq!(key(std::iter::empty()), None);
        let one = mirrors(&[("a", 100, 100)]);
        assert_eq!(keys(&one), ["outbound|80||a"]);
        let name = key(one.iter().map(|mirror| mirror.cluster.name(|| 0)));
        assert!(matches!(name, Some(Cow::Borrowed(_))), "the usual one costs nothing");
        // Twice the same is two copies, and as written.
        let three = mirrors(&[("b", 100, 100), ("a", 100, 100), ("b", 100, 100)]);
        assert_eq!(keys(&three), ["outbound|80||b outbound|80||a outbound|80||b"]);
    }

    #[test]
    fn shares_of_one_draw_are_parts_of_one_another() {
        let shares = mirrors(&[
            ("a", 100_000, 1_000_000),
            ("b", 500_000, 1_000_000),
            ("c", 1_000_000, 1_000_000),
        ]);
        let expected = [
            "outbound|80||a outbound|80||b outbound|80||c",
            "outbound|80||b outbound|80||c",
            "outbound|80||c",
        ];
        assert_eq!(keys(&shares), expected);
        assert!(keys(&mirrors(&[("a", 0, 1_000_000)])).is_empty());
    }

    #[test]
    fn the_sets_are_those_that_numbers_draw() {
        let mut dice = Wyrand::new(3);
        for _ in 0..4 {
            let mut share = |host, denominator: u64| (host, (dice.next() % denominator) as u32, denominator as u32);
            // 5 of a hundred, and less of a million than it takes for a hundred to come round.
            let near = [("d", 5, 100), ("e", 20, 1_000_000)];
            let shares = [("a", 100), ("b", 1_000_000), ("c", 1_000_000)].map(|(host, of)| share(host, of));
            for shares in [&shares[..], &near] {
                let all = mirrors(shares);
                let mask = |number| {
                    let taken = all.iter().map(|mirror| usize::from(mirror.fraction.takes(number)));
                    taken.fold(0, |mask, taken| mask * 2 + taken)
                };
                // All that decides comes again after a million.
                let mut seen = [false; 8];
                (0..1_000_000).for_each(|number| seen[mask(number)] = true);
                seen[0] = false;
                let expected: BTreeSet<Vec<Cow<str>>> = (0..8)
                    .filter(|mask| seen[*mask])
                    .map(|mask| {
                        let taken = all.iter().rev().enumerate().filter(|(bit, _)| mask >> bit & 1 == 1);
                        let mut names: Vec<_> = taken.map(|(_, mirror)| mirror.cluster.name(|| 0)).collect();
                        names.reverse();
                        names
                    })
                    .collect();
                assert_eq!(sets(&all), expected, "{shares:?}");
            }
        }
    }
}
