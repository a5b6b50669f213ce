//! The engine against what RE2 does, and against a library that does the same.

use super::*;
use crate::dice::{Dice, Wyrand};

const MEMORY: usize = 1 << 20;

fn matches(pattern: &str, value: &[u8]) -> bool {
    Regex::new(pattern, MEMORY).unwrap().is_full_match(value)
}

fn refusal(pattern: &str) -> String {
    Regex::new(pattern, MEMORY).unwrap_err().0
}

#[test]
fn the_whole_value_has_to_match() {
    assert!(matches("a|ab", b"ab"));
    assert!(!matches("a", b"ab"));
    assert!(!matches("b$", b"ab"));
    assert!(matches("", b"") && !matches("", b"a"));
}

#[test]
fn a_dot_is_any_byte_but_a_newline() {
    assert!(matches(".*", b"\xe9\xff"));
    assert!(!matches(".", b"\n"));
    assert!(matches("(?s).", b"\n") && matches(r"\C", b"\n") && matches("[^a]", b"\n"));
}

/// RE2 in Latin-1 mode reads the pattern's bytes one by one.
#[test]
fn a_letter_outside_ascii_is_its_bytes() {
    assert!(matches("é", "é".as_bytes()) && matches("[é]+", "é".as_bytes()));
    assert!(matches("é+", b"\xc3\xa9\xa9") && !matches("é+", "éé".as_bytes()));
    assert!(!matches(r"(?i)\xe9", b"\xc9") && matches(r"(?i)k", b"K"));
}

#[test]
fn every_match_is_replaced_with_its_groups() {
    let regex = Regex::unanchored("/(a)(b)?", MEMORY).unwrap();
    assert_eq!(regex.replace_all(b"/a/ab", br"<\1\2\0\\$1>"), br"<a/a\$1><ab/ab\$1>");
    let replaced = |pattern: &str, value: &[u8]| Regex::unanchored(pattern, MEMORY).unwrap().replace_all(value, b"!");
    assert_eq!(replaced("$", b"/x"), b"/x!");
    assert_eq!(replaced("b*", b"abbc"), b"!a!c!");
    assert_eq!(replaced("^", b"aa"), b"!aa");
}

#[test]
fn a_brace_that_repeats_nothing_is_a_brace() {
    assert!(matches("/{id}", b"/{id}"));
    assert!(matches("a{2,}b{1}", b"aab"));
    assert!(matches("a{,2}", b"a{,2}") && matches("a{02}", b"a{02}"));
}

#[test]
fn classes_have_no_set_operations() {
    assert!(matches("[^[]+", b"ab") && !matches("[^[]+", b"["));
    assert!(matches("[a&&b]+", b"a&b"));
    assert!(matches("[a~~b]+", b"~"));
    assert!(matches("[]a]+", b"]a") && matches("[^]a]+", b"b"));
    assert!(matches("[a-c-]+", b"b-") && matches("[-a]+", b"-a"));
    assert!(matches("[[:alpha:]_]+", b"a_") && !matches("[[:alpha:]]", b":"));
    assert!(matches("[[:^alpha:]]", b":") && matches("[[:x]+", b"[:x"));
    assert!(matches(r"[\w.-]+", b"a.-b") && matches(r"[^\D]", b"1"));
    assert!(matches(r"[\x41-\103]+", b"ABC"));
}

#[test]
fn a_dash_behind_a_class_or_a_range_is_a_dash() {
    assert!(matches(r"[\w-.]+@[\d-z]+", b"a-b.c@1-z"));
    assert!(matches("[a-b-z]+", b"a-z") && !matches("[a-b-z]+", b"c"));
}

#[test]
fn repetitions_have_re2s_bound_however_they_are_nested() {
    for pattern in ["(?:a{100}){10}", "((a{2})b){400}", "a{999}b{999}", "a{99999999999}"] {
        assert!(Regex::new(pattern, MEMORY).is_ok(), "{pattern}");
    }
    for pattern in [
        "a{1001}",
        "a{1001,}",
        "(?:a{100}){11}",
        "(a{2}|b{3}){400}",
        "((a?){999}){2}",
    ] {
        assert!(Regex::new(pattern, MEMORY).is_err(), "{pattern}");
    }
}

#[test]
fn quotes_octals_and_bytes_are_read() {
    assert!(matches(r"\Qa.b\E.", b"a.bc") && !matches(r"\Qa.b\E", b"axb"));
    assert!(matches(r"\Qab\E+", b"abb"));
    assert!(matches(r"\101\x42\x{43}\0\12", b"ABC\0\n"));
    assert!(matches(r"\<a\>\_\ ", b"<a>_ "));
}

#[test]
fn flags_hold_until_their_group_ends() {
    assert!(matches("((?i)a)b", b"Ab") && !matches("((?i)a)b", b"AB"));
    assert!(matches("(?i:a)b", b"Ab") && !matches("(?i:a)b", b"AB"));
    assert!(matches("(?i)a(?-i)b", b"Ab") && !matches("(?i)a(?-i)b", b"AB"));
    assert!(matches("(?m)a$\n^b", b"a\nb") && !matches("a$\n^b", b"a\nb"));
    assert!(matches("(?i-i)a(?ii)b(?)c", b"aBC") && !matches("(?i-i)a", b"A"));
    assert!(matches("(?P<1a>a)(?<n>b)(?P<n>c)", b"abc"));
}

#[test]
fn what_re2_does_not_know_is_refused() {
    let patterns = [
        "(?=a)",
        "(?<!a)b",
        r"(a)\1",
        "(?x)a b",
        "(?R)a",
        r"\u{41}",
        r"\pL",
        "[a",
        "a**",
        "a*+",
        r"\",
        "*",
        "(",
        ")",
        "a|*",
        "(?i",
        "(?-)",
        "(?P<a.b>a)",
        "(?P<>a)",
        "a{2,1}",
        "a{1001}",
        "(a{40}){40}",
        "[b-a]",
        "[[:x:]]",
        r"\8",
        r"\x{100}",
        r"\400",
        r"\x4",
        r"\é",
    ];
    for pattern in patterns {
        assert!(Regex::new(pattern, MEMORY).is_err(), "{pattern}");
    }
    assert!(Regex::new(r"\b{start}", MEMORY).is_ok() && Regex::new("a*?b{2}?", MEMORY).is_ok());
    assert!(refusal("a(?!b)").ends_with("has no look-around"));
    assert!(refusal("*").ends_with("repetition operator missing expression"));
    assert!(refusal("(a").ends_with("unclosed group"));
}

#[test]
fn an_expression_has_a_memory_limit() {
    let error = Regex::new("[a-z]{1000}|[0-9]{1000}", 1 << 16).unwrap_err();
    assert!(error.0.contains("65536 bytes"), "{error}");
}

#[test]
fn groups_in_one_another_have_a_limit() {
    let nested = |depth: usize| Regex::new(&("(".repeat(depth) + &")".repeat(depth)), MEMORY);
    assert!(nested(250).is_ok() && nested(251).is_err() && nested(100_000).is_err());
}

/// Each as Envoy 1.40 answered when asked.
#[test]
fn oddities_are_re2s() {
    let taken = [
        ("a(?i)*", "aaa"),
        ("(?U)a+?", "aa"),
        ("^*a", "a"),
        ("a||b", ""),
        ("()|x", "x"),
        ("(|a)*b", "aab"),
        ("a{0}b", "b"),
        ("(?)a", "a"),
        ("(?i-s)a", "A"),
        ("[[:x]+", "[:x"),
        ("a*?b{2}?", "abb"),
    ];
    for (pattern, value) in taken {
        assert!(matches(pattern, value.as_bytes()), "{pattern}");
    }
    assert!(!matches("(?i)[[:^lower:]]", b"A") && !matches("(?i)[^k]", b"K") && !matches(r"\b{start}", b"{start}"));
    for pattern in [
        "(?i-)a", "^**", r"\Q\E*a", r"[\b]", r"[a-\d]", r"\E", r"\x+1", r"\Z", "(?P=a)", " [a", r"\ua",
    ] {
        assert!(Regex::new(pattern, MEMORY).is_err(), "{pattern}");
    }
}

/// Each would take a backtracking engine, or one that makes all states beforehand, longer than anybody waits.
#[test]
fn hostile_expressions_take_time_by_the_length_of_the_value() {
    let value = [b'a'; 60 << 10];
    let twice = [value, value].concat();
    for pattern in [
        "(a*)*b",
        "(a|aa)+$b",
        "(a|b)*a(a|b){20}c",
        "(.*)(.*)(.*)(.*)x",
        r"(\ba?\B)*b",
    ] {
        let regex = Regex::new(pattern, MEMORY).unwrap();
        let steps = |value: &[u8]| {
            let before = std::time::Instant::now();
            assert!(!regex.is_full_match(value));
            before.elapsed()
        };
        let once = steps(&value);
        assert!(
            steps(&twice) < once * 8 + std::time::Duration::from_millis(50),
            "{pattern}: {once:?}"
        );
    }
}

/// An expression and a value that it has something to do with, drawn from few letters.
struct Draw(Wyrand);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        (self.0.next() >> 32) as usize % end
    }

    fn pattern(&mut self, depth: usize) -> String {
        let parts = 1 + self.below(3);
        let parts: Vec<String> = (0..parts).map(|_| self.part(depth)).collect();
        match self.below(5) {
            0 => parts.join("|"),
            _ => parts.concat(),
        }
    }

    fn part(&mut self, depth: usize) -> String {
        const ATOMS: [&str; 22] = [
            "a", "b", "c", "ab", "ca", ".", "[ab]", "[^a]", "[a-c]", r"\d", r"\w", r"\W", r"\s", r"\b", r"\B", "^",
            "$", "(?i:a)", "(?m:^)", "(?m:$)", "(?s:.)", r"\xe9",
        ];
        const REPEATS: [&str; 12] = ["", "", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}"];
        let atom = match self.below(4) {
            0 if depth > 0 => format!("({})", self.pattern(depth - 1)),
            1 if depth > 0 => format!("(?:{})", self.pattern(depth - 1)),
            _ => ATOMS[self.below(ATOMS.len())].to_owned(),
        };
        let repeat = REPEATS[self.below(REPEATS.len())];
        match repeat.is_empty() || atom.len() == 1 || atom.starts_with(['(', '[', '\\']) {
            true => format!("{atom}{repeat}"),
            false => format!("(?:{atom}){repeat}"),
        }
    }

    fn value(&mut self) -> Vec<u8> {
        let length = self.below(9);
        (0..length).map(|_| b"aaabbbccA1_ \n\xe9"[self.below(14)]).collect()
    }
}

#[test]
fn random_expressions_do_what_the_library_does() {
    let mut draw = Draw(Wyrand::new(8));
    let library = |pattern: &str| {
        let mut builder = regex::bytes::RegexBuilder::new(pattern);
        builder.unicode(false).build().unwrap()
    };
    let (mut taken, mut replaced) = (0, 0);
    for _ in 0..4_000 {
        let pattern = draw.pattern(3);
        let (whole, anywhere) = (library(&format!(r"\A(?:{pattern})\z")), library(&pattern));
        let own = Regex::new(&pattern, MEMORY).unwrap();
        let own_anywhere = Regex::unanchored(&pattern, MEMORY).unwrap();
        assert_eq!(own.groups(), anywhere.captures_len() - 1, "{pattern}");
        for _ in 0..10 {
            let value = draw.value();
            let text = value.escape_ascii();
            assert_eq!(
                own.is_full_match(&value),
                whole.is_match(&value),
                "{pattern} takes {text}"
            );
            taken += usize::from(whole.is_match(&value));
            let expected = anywhere.replace_all(&value, &b"<$0;$1;$2>"[..]);
            let made = own_anywhere.replace_all(&value, br"<\0;\1;\2>");
            assert_eq!(
                made.escape_ascii().to_string(),
                expected.escape_ascii().to_string(),
                "{pattern} in {text}"
            );
            replaced += usize::from(*expected != value);
        }
    }
    assert!(taken > 3_000 && replaced > 15_000, "{taken} {replaced}");
}

#[test]
fn more_states_than_there_is_room_for_change_nothing() {
    let regex = Regex::new("(a|b)*a(a|b){12}", MEMORY).unwrap();
    let library = regex::bytes::Regex::new(r"\A(?:(a|b)*a(a|b){12})\z").unwrap();
    let mut draw = Draw(Wyrand::new(1));
    for _ in 0..300 {
        let value: Vec<u8> = (0..200).map(|_| b"ab"[draw.below(2)]).collect();
        assert_eq!(regex.is_full_match(&value), library.is_match(&value));
    }
}
