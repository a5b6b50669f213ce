//! What an expression says that comparing bytes can say as well, and text that it takes.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Dot, Hir, HirKind};

use super::{Regex, re2};

/// The plain form of an expression, as far as it has one. A newline is left out of account: no header and no path has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// These bytes and no others.
    Exact(Vec<u8>),
    /// All that begins with these bytes.
    Prefix(Vec<u8>),
    /// Something that begins with these bytes.
    Other(Vec<u8>),
}

/// How many texts are made of one expression at most.
const SAMPLES: usize = 16;

impl Regex {
    /// The plain form of the expression, for whole values.
    pub fn shape(&self) -> Shape {
        let Some(hir) = self.hir() else {
            return Shape::Other(Vec::new());
        };
        let mut prefix = Vec::new();
        match lead(&hir, &mut prefix) {
            Lead::Whole => Shape::Exact(prefix),
            Lead::Rest => Shape::Prefix(prefix),
            Lead::Stops => Shape::Other(prefix),
        }
    }

    /// Some text that the expression is likely to take whole.
    pub fn samples(&self) -> Vec<Vec<u8>> {
        let Some(hir) = self.hir() else {
            return Vec::new();
        };
        (0..SAMPLES)
            .map(|variant| {
                let mut text = Vec::new();
                sample(&hir, variant, &mut text);
                text
            })
            .collect()
    }

    fn hir(&self) -> Option<Hir> {
        let pattern = re2::translate(self.as_str()).ok()?;
        ParserBuilder::new()
            .unicode(false)
            .utf8(false)
            .build()
            .parse(&pattern)
            .ok()
    }
}

/// What comes behind the bytes that an expression begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lead {
    /// Nothing.
    Whole,
    /// Anything.
    Rest,
    /// Something else.
    Stops,
}

fn lead(hir: &Hir, bytes: &mut Vec<u8>) -> Lead {
    match hir.kind() {
        HirKind::Empty => Lead::Whole,
        HirKind::Literal(literal) => {
            bytes.extend_from_slice(&literal.0);
            Lead::Whole
        }
        HirKind::Capture(capture) => lead(&capture.sub, bytes),
        HirKind::Look(look) if bytes.is_empty() && look.as_char() == 'A' => Lead::Whole,
        HirKind::Concat(parts) => {
            let parts = parts
                .strip_suffix(&[Hir::look(regex_syntax::hir::Look::End)])
                .unwrap_or(parts);
            for (index, part) in parts.iter().enumerate() {
                match lead(part, bytes) {
                    Lead::Whole => {}
                    Lead::Rest if index + 1 == parts.len() => return Lead::Rest,
                    _ => return Lead::Stops,
                }
            }
            Lead::Whole
        }
        HirKind::Repetition(repetition) => {
            let is_anything =
                *repetition.sub == Hir::dot(Dot::AnyByteExceptLF) || *repetition.sub == Hir::dot(Dot::AnyByte);
            if is_anything && repetition.min == 0 && repetition.max.is_none() {
                Lead::Rest
            } else {
                Lead::Stops
            }
        }
        HirKind::Alternation(parts) => {
            let each = parts.iter().map(|part| {
                let mut own = Vec::new();
                lead(part, &mut own);
                own
            });
            bytes.extend(each.reduce(common_prefix).unwrap_or_default());
            Lead::Stops
        }
        HirKind::Class(_) | HirKind::Look(_) => Lead::Stops,
    }
}

fn common_prefix(a: Vec<u8>, b: Vec<u8>) -> Vec<u8> {
    a.iter().zip(&b).take_while(|(a, b)| a == b).map(|(a, _)| *a).collect()
}

/// One text; `variant` says which way to go where there are several.
fn sample(hir: &Hir, variant: usize, text: &mut Vec<u8>) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.extend_from_slice(&literal.0),
        HirKind::Class(class) => text.extend(byte_of(class, variant)),
        HirKind::Capture(capture) => sample(&capture.sub, variant, text),
        HirKind::Concat(parts) => parts.iter().for_each(|part| sample(part, variant, text)),
        HirKind::Alternation(parts) => {
            if let Some(part) = parts.get(variant % parts.len().max(1)) {
                sample(part, variant / parts.len().max(1), text);
            }
        }
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(u32::MAX);
            let more = u32::try_from(variant % 2).unwrap_or_default();
            let times = repetition.min.saturating_add(more).min(most).min(1000);
            (0..times).for_each(|_| sample(&repetition.sub, variant / 2, text));
        }
    }
}

/// A letter or a digit, if the class has one.
fn byte_of(class: &Class, variant: usize) -> Option<u8> {
    let Class::Bytes(class) = class else {
        return None;
    };
    let has = |byte: u8| {
        class
            .ranges()
            .iter()
            .any(|range| (range.start()..=range.end()).contains(&byte))
    };
    let preferred = (b'a'..=b'z')
        .chain(b'0'..=b'9')
        .chain(b'A'..=b'Z')
        .chain(b'!'..=b'~')
        .filter(|byte| has(*byte));
    let nth = preferred.clone().nth(variant % 8).or_else(|| preferred.clone().next());
    nth.or_else(|| class.ranges().first().map(|range| range.start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regex(written: &str) -> Regex {
        Regex::new(written, 1 << 20).unwrap()
    }

    #[test]
    fn an_expression_that_only_compares_bytes_is_seen_through() {
        let exact = |text: &str| Shape::Exact(text.into());
        let prefix = |text: &str| Shape::Prefix(text.into());
        let other = |text: &str| Shape::Other(text.into());
        for (written, shape) in [
            (".*", prefix("")),
            ("/api/.*", prefix("/api/")),
            ("^/api(.*)$", prefix("/api")),
            (r"(?s)/a\.b.*", prefix("/a.b")),
            ("/api", exact("/api")),
            ("^$", exact("")),
            ("/api/.+", other("/api/")),
            ("/api/.*/x", other("/api/")),
            ("/(abc|abd)/x", other("/ab")),
            ("(?i)/a", other("/")),
            ("/[ab].*", other("/")),
            ("/a{2}b?", other("/")),
        ] {
            assert_eq!(regex(written).shape(), shape, "{written}");
        }
    }

    #[test]
    fn samples_are_taken() {
        for written in [
            "/v[0-9]+/(users|orders)/[^/]+",
            "^(.*?;)?(user=jason)(;.*)?$",
            r"\d{3}-\w+",
            "(?i)abc",
            "a|b|cd",
            "[^a-z]",
        ] {
            let regex = regex(written);
            let samples = regex.samples();
            assert!(
                samples.iter().any(|text| regex.is_full_match(text)),
                "{written}: {samples:?}"
            );
        }
    }
}
