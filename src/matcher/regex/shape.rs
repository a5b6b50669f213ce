//! What an expression says that comparing bytes can say as well, and text that it takes.

use super::Regex;
use super::syntax::{ByteSet, Look, Node};

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
        self.needs().shape.clone()
    }

    /// Some text that the expression is likely to take whole.
    pub fn samples(&self) -> Vec<Vec<u8>> {
        let Some(node) = self.node() else {
            return Vec::new();
        };
        (0..SAMPLES)
            .map(|variant| {
                let mut text = Vec::new();
                sample(&node, variant, &mut text);
                text
            })
            .collect()
    }

    fn node(&self) -> Option<Node> {
        Node::parse(self.as_str()).ok().map(|(node, _)| node)
    }
}

impl Shape {
    pub(super) fn of(node: &Node) -> Self {
        let mut prefix = Vec::new();
        match lead(node, &mut prefix) {
            Lead::Whole => Shape::Exact(prefix),
            Lead::Rest => Shape::Prefix(prefix),
            Lead::Stops => Shape::Other(prefix),
        }
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

fn lead(node: &Node, bytes: &mut Vec<u8>) -> Lead {
    match node {
        Node::Empty => Lead::Whole,
        Node::Byte(set) => match set.single() {
            Some(byte) => {
                bytes.push(byte);
                Lead::Whole
            }
            None => Lead::Stops,
        },
        Node::Group(_, node) => lead(node, bytes),
        Node::Look(Look::Start) if bytes.is_empty() => Lead::Whole,
        Node::Concat(nodes) => {
            let nodes = nodes.strip_suffix(&[Node::Look(Look::End)]).unwrap_or(nodes);
            for (index, node) in nodes.iter().enumerate() {
                match lead(node, bytes) {
                    Lead::Whole => {}
                    Lead::Rest if index + 1 == nodes.len() => return Lead::Rest,
                    _ => return Lead::Stops,
                }
            }
            Lead::Whole
        }
        Node::Repetition {
            node,
            min: 0,
            max: None,
            ..
        } if is_anything(node) => Lead::Rest,
        Node::Alternation(nodes) => {
            let each = nodes.iter().map(|node| {
                let mut own = Vec::new();
                lead(node, &mut own);
                own
            });
            bytes.extend(each.reduce(common_prefix).unwrap_or_default());
            Lead::Stops
        }
        Node::Repetition { .. } | Node::Look(_) => Lead::Stops,
    }
}

pub(super) fn is_anything(node: &Node) -> bool {
    matches!(node, Node::Byte(set) if set.union(ByteSet::one(b'\n')) == ByteSet::EMPTY.negated())
}

fn common_prefix(a: Vec<u8>, b: Vec<u8>) -> Vec<u8> {
    a.iter().zip(&b).take_while(|(a, b)| a == b).map(|(a, _)| *a).collect()
}

/// One text; `variant` says which way to go where there are several.
fn sample(node: &Node, variant: usize, text: &mut Vec<u8>) {
    match node {
        Node::Empty | Node::Look(_) => {}
        Node::Byte(set) => text.extend(byte_of(*set, variant)),
        Node::Group(_, node) => sample(node, variant, text),
        Node::Concat(nodes) => nodes.iter().for_each(|node| sample(node, variant, text)),
        Node::Alternation(nodes) => {
            if let Some(node) = nodes.get(variant % nodes.len().max(1)) {
                sample(node, variant / nodes.len().max(1), text);
            }
        }
        Node::Repetition { node, min, max, .. } => {
            let more = u32::try_from(variant % 2).unwrap_or_default();
            let times = (min + more).min(max.unwrap_or(u32::MAX));
            (0..times).for_each(|_| sample(node, variant / 2, text));
        }
    }
}

/// A letter or a digit, if the set has one.
fn byte_of(set: ByteSet, variant: usize) -> Option<u8> {
    let preferred = (b'a'..=b'z')
        .chain(b'0'..=b'9')
        .chain(b'A'..=b'Z')
        .chain(b'!'..=b'~')
        .filter(|byte| set.contains(*byte));
    let nth = preferred.clone().nth(variant % 8).or_else(|| preferred.clone().next());
    nth.or_else(|| set.bytes().next())
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
