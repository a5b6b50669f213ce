//! What hostile expressions and values cost, whatever engine there is.

use std::time::{Duration, Instant};

use super::Regex;

const MEMORY: usize = 1 << 20;
/// As long as Envoy takes a request's head.
const LONG: usize = 60_000;
const SHORT: usize = LONG / 10;

/// Each makes an engine that tries one way after the other, or that builds every state, take more than its time.
const HOSTILE: [&str; 12] = [
    "(a+)+b",
    "(a|a)*b",
    "(a|aa)+b",
    "(a*)*b",
    "(.*a){20}b",
    ".*.*.*.*.*b",
    "(.*)(.*)(.*)(.*)b",
    "(a?){100}a{100}b?",
    "[ab]*a[ab]{14}b",
    "(?i)(a+|A+)+b",
    "([a-z]+)*[0-9]",
    r"(\w+\s?)*;",
];

/// The shortest of a few runs, each of all `lengths`-long values.
fn time(regex: &Regex, length: usize) -> Duration {
    let letters = (0..length).map(|index| if (index * index / 7) % 3 == 0 { b'b' } else { b'a' });
    let values = [vec![b'a'; length], letters.collect(), b"ab".repeat(length / 2)];
    let run = || {
        let begin = Instant::now();
        values.iter().for_each(|value| {
            std::hint::black_box(regex.is_full_match(value));
        });
        begin.elapsed()
    };
    (0..5).map(|_| run()).min().unwrap_or_default()
}

#[test]
fn ten_times_the_value_takes_about_ten_times_as_long() {
    for written in HOSTILE {
        let regex = Regex::new(written, MEMORY).unwrap();
        // The first value of each length fills what the engine keeps.
        let (short, long) = (time(&regex, SHORT), time(&regex, LONG));
        // Squares would make it a hundred times.
        assert!(
            long < 30 * short + Duration::from_millis(2),
            "{written}: {short:?}, then {long:?}"
        );
        assert!(long < Duration::from_secs(3), "{written}: {long:?}");
    }
}

#[test]
fn a_hostile_expression_finds_what_there_is() {
    for (written, ending, found) in [
        ("(a+)+b", "b", true),
        ("(a|a)*b", "", false),
        ("(.*a){20}b", "b", true),
        ("[ab]*a[ab]{14}b", "aaaaaaaaaaaaaaab", true),
        ("[ab]*b[ab]{14}a", "aaaaaaaaaaaaaaaa", false),
    ] {
        let value = "a".repeat(LONG) + ending;
        let regex = Regex::new(written, MEMORY).unwrap();
        assert_eq!(
            regex.is_full_match(value.as_bytes()),
            found,
            "{written} before `{ending}`"
        );
    }
}

#[test]
fn replacing_takes_time_in_proportion_to_the_value_too() {
    for written in ["(a.*b)?", "a.*b|a", "(a+b)?a", "(.*b|a)"] {
        let regex = Regex::unanchored(written, MEMORY).unwrap();
        let time = |length: usize| {
            let value = vec![b'a'; length];
            let begin = Instant::now();
            std::hint::black_box(regex.replace_all(&value, b"x"));
            begin.elapsed()
        };
        let (short, long) = (time(SHORT / 4), time(LONG / 4));
        assert!(
            long < 30 * short + Duration::from_millis(50),
            "{written}: {short:?}, then {long:?}"
        );
    }
}

#[test]
fn every_match_of_a_long_value_is_replaced_where_none_looks_far() {
    let value = b"/a".repeat(LONG / 2);
    for (written, length) in [
        ("/", LONG),
        ("/a", LONG / 2),
        ("[^/]*", LONG + 1),
        ("(/)(a)?", LONG / 2),
        ("a$", LONG),
        ("b*", 2 * LONG + 1),
    ] {
        let regex = Regex::unanchored(written, MEMORY).unwrap();
        assert_eq!(regex.replace_all(&value, b"x").len(), length, "{written}");
    }
}
