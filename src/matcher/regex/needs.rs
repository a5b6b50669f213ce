//! Text that a value must have for an expression to take it: what an index finds expressions by.

use super::shape::{self, Shape};
use super::syntax::{Look, Node};

/// What every value has that the expression takes whole. There may be more that it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needs {
    /// What it is, or begins with.
    pub shape: Shape,
    /// What stands between two slashes of it.
    pub segments: Vec<Box<[u8]>>,
    /// What stands between semicolons, or an end: all that Istio's own expression for one cookie asks for.
    pub part: Option<Box<[u8]>>,
}

impl Needs {
    pub(super) fn new(node: &Node) -> Self {
        let nodes = flat(node);
        Needs {
            shape: Shape::of(node),
            segments: segments(&nodes),
            part: part(&nodes),
        }
    }
}

/// What follows on one another, groups taken apart, less the anchors at the ends, which whole values have anyway.
fn flat(node: &Node) -> Vec<&Node> {
    let mut nodes = Vec::new();
    flatten(node, &mut nodes);
    if nodes.first() == Some(&&Node::Look(Look::Start)) {
        nodes.remove(0);
    }
    nodes.pop_if(|last| **last == Node::Look(Look::End));
    nodes
}

fn flatten<'n>(node: &'n Node, nodes: &mut Vec<&'n Node>) {
    match node {
        Node::Group(_, node) => flatten(node, nodes),
        Node::Concat(all) => all.iter().for_each(|node| flatten(node, nodes)),
        node => nodes.push(node),
    }
}

fn byte(node: &Node) -> Option<u8> {
    match node {
        Node::Byte(set) => set.single(),
        _ => None,
    }
}

fn segments(nodes: &[&Node]) -> Vec<Box<[u8]>> {
    let mut segments = Vec::new();
    for run in nodes.split(|node| byte(node).is_none()) {
        let text: Vec<u8> = run.iter().filter_map(|node| byte(node)).collect();
        let mut between: Vec<&[u8]> = text.split(|byte| *byte == b'/').skip(1).collect();
        between.pop();
        segments.extend(between.into_iter().map(Box::from));
    }
    segments
}

/// The `user=jason` of `^(.*?;)?(user=jason)(;.*)?$`.
fn part(nodes: &[&Node]) -> Option<Box<[u8]>> {
    let [before, text @ .., after] = nodes else { return None };
    let is_before = matches!(&*optional(before)?, [any, end] if is_any_text(any) && byte(end) == Some(b';'));
    let is_after = matches!(&*optional(after)?, [begin, any] if is_any_text(any) && byte(begin) == Some(b';'));
    let text: Option<Vec<u8>> = text
        .iter()
        .map(|node| byte(node).filter(|byte| *byte != b';'))
        .collect();
    text.filter(|_| is_before && is_after).map(Box::from)
}

fn optional(node: &Node) -> Option<Vec<&Node>> {
    match node {
        Node::Repetition {
            node,
            min: 0,
            max: Some(1),
            ..
        } => Some(flat(node)),
        _ => None,
    }
}

fn is_any_text(node: &Node) -> bool {
    matches!(node, Node::Repetition { node, min: 0, max: None, .. } if shape::is_anything(node))
}

#[cfg(test)]
mod tests {
    use super::super::Regex;

    fn regex(written: &str) -> Regex {
        Regex::new(written, 1 << 20).unwrap()
    }

    #[test]
    fn istios_expression_for_a_cookie_needs_that_cookie() {
        let part = |written: &str| regex(written).needs().part.clone();
        assert_eq!(part("^(.*?;)?(user=jason)(;.*)?$").as_deref(), Some(&b"user=jason"[..]));
        assert_eq!(part("(.*;)?user=jason(;.*)?").as_deref(), Some(&b"user=jason"[..]));
        for other in [
            "^(.*?;)?(user=.*)(;.*)?$",
            "^(.*?;)?(a;b)(;.*)?$",
            "(.*?,)?(a)(;.*)?",
            "(.+?;)?(a)(;.*)",
            "(.*;)?a(;.*|b)?",
            "a",
        ] {
            assert_eq!(part(other), None, "{other}");
        }
    }

    #[test]
    fn a_segment_needs_a_slash_on_both_sides() {
        let segments = |written: &str| {
            let segments = regex(written).needs().segments.clone();
            segments
                .into_iter()
                .map(|text| String::from_utf8(text.into()).unwrap())
                .collect::<Vec<_>>()
        };
        assert_eq!(segments("/api/[a-z]+/42/[0-9]+"), ["api", "42"]);
        assert_eq!(segments("/api/x[a-z]+/42"), ["api"]);
        assert!(segments("(/api/)?x").is_empty());
        assert!(segments("/a/|/b/").is_empty());
    }
}
