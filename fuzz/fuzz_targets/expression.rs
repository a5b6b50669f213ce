//! Any expression and, behind a zero byte, any value. Where the `regex` crate takes the expression too, both take the same values and replace
//! the same text; and what the index finds the expression by agrees with what it takes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use regex::bytes::RegexBuilder;
use switchyard::matcher::regex::{Needs, Regex, Shape};

/// As `options.maxRegexBytes`.
const MEMORY: usize = 1 << 20;
/// Beyond this, a replacement may end before the value does.
const LONGEST: usize = 48;

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(2, |byte| *byte == 0);
    let (Some(Ok(pattern)), Some(value)) = (parts.next().map(str::from_utf8), parts.next()) else {
        return;
    };
    let Ok(own) = Regex::new(pattern, MEMORY) else {
        return;
    };
    let takes = own.is_full_match(value);
    is_found(own.needs(), value, takes);
    let _ = own.samples();
    // RE2's `\s` has no vertical tab.
    if value.len() > LONGEST || value.contains(&0x0b) || means_something_else(pattern) {
        return;
    }
    let library = |pattern: &str| RegexBuilder::new(pattern).unicode(false).nest_limit(300).build();
    let (Ok(whole), Ok(anywhere)) = (library(&format!(r"\A(?:{pattern})\z")), library(pattern)) else {
        return;
    };
    assert_eq!(takes, whole.is_match(value));
    let Ok(own) = Regex::unanchored(pattern, MEMORY) else {
        return;
    };
    assert_eq!(own.groups(), anywhere.captures_len() - 1);
    let replaced = own.replace_all(value, br"<\0;\1;\2>");
    assert_eq!(replaced, *anywhere.replace_all(value, &b"<$0;$1;$2>"[..]));
});

/// What the index finds the expression by agrees with it. A newline is in no value of a request.
fn is_found(needs: &Needs, value: &[u8], takes: bool) {
    if value.contains(&b'\n') {
        return;
    }
    match &needs.shape {
        Shape::Exact(text) => assert_eq!(takes, value == text),
        Shape::Prefix(text) => assert_eq!(takes, value.starts_with(text)),
        Shape::Other(text) => assert!(!takes || value.starts_with(text)),
    }
    let between = |border: u8, text: &[u8]| value.split(|byte| *byte == border).any(|part| part == text);
    assert!(!takes || needs.segments.iter().all(|text| between(b'/', text)));
    assert!(!takes || needs.part.as_deref().is_none_or(|text| between(b';', text)));
}

/// What both read, and each in its own way.
fn means_something_else(pattern: &str) -> bool {
    // Operations on classes; places that RE2 has not; a code point.
    const OTHERS: [&str; 8] = ["&&", "--", "~~", r"\<", r"\>", r"\b{", r"\B{", r"\x{"];
    // RE2 takes any other brace for itself.
    let number = |text: &str| text.parse::<u16>().is_ok_and(|number| number.to_string() == text);
    let repeats = |text: &str| match text.split_once('}') {
        Some((counts, _)) => counts
            .split(',')
            .enumerate()
            .all(|(at, text)| number(text) || at == 1 && text.is_empty()),
        None => false,
    };
    !pattern.is_ascii()
        || OTHERS.iter().any(|text| pattern.contains(text))
        || !pattern.split('{').skip(1).all(repeats)
        || has_class_in_class(pattern)
}

fn has_class_in_class(pattern: &str) -> bool {
    let mut rest = pattern;
    while let Some(at) = rest.find(['[', '\\']) {
        let Some(class) = rest[at..].strip_prefix('[') else {
            rest = rest.get(at + 2..).unwrap_or_default();
            continue;
        };
        let class = class.strip_prefix('^').unwrap_or(class);
        rest = class.strip_prefix(']').unwrap_or(class);
        while let Some(at) = rest.find(['[', '\\', ']']) {
            let (found, behind) = rest[at..].split_at(1);
            rest = match found {
                "]" => break,
                "\\" => behind.get(1..).unwrap_or_default(),
                _ => match behind.strip_prefix(':').and_then(|name| name.split_once(":]")) {
                    Some((_, behind)) => behind,
                    None => return true,
                },
            };
        }
        rest = rest.split_once(']').map_or("", |(_, behind)| behind);
    }
    false
}
