//! Conditions, taken apart into what can be true or false of one part of a request.

use std::borrow::Cow;

use super::Variable;
use super::variable::Arity;
use crate::matcher::regex::Shape;
use crate::matcher::{HeaderMatcher, PathMatcher, Regex, RouteMatch, StringMatcher};

/// What one piece of text has to be.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test<'m> {
    /// Anything.
    Any,
    /// These bytes, or what begins with them.
    Text(Text<'m>),
    /// A whole match.
    Regex(&'m Regex),
}

/// Bytes to compare with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text<'m> {
    pub bytes: Cow<'m, [u8]>,
    /// Whether nothing may follow.
    pub whole: bool,
    pub ignore_case: bool,
}

/// Some text of a variable passes a test, or none does.
#[derive(Debug, Clone, PartialEq)]
pub struct Literal<'m> {
    pub(super) variable: Variable<'m>,
    pub(super) test: Test<'m>,
    pub(super) wanted: bool,
}

impl Test<'_> {
    pub fn accepts(&self, text: &[u8]) -> bool {
        match self {
            Test::Any => true,
            Test::Text(test) => test.accepts(text),
            Test::Regex(regex) => regex.is_full_match(text),
        }
    }
}

impl Text<'_> {
    fn excludes(&self, other: &Text) -> bool {
        let common = self.bytes.len().min(other.bytes.len());
        let ends_before = |a: &Text, b: &Text| a.whole && a.bytes.len() < b.bytes.len();
        let same = match (self.bytes.get(..common), other.bytes.get(..common)) {
            (Some(a), Some(b)) if self.ignore_case || other.ignore_case => a.eq_ignore_ascii_case(b),
            (a, b) => a == b,
        };
        !same || ends_before(self, other) || ends_before(other, self)
    }

    fn accepts(&self, text: &[u8]) -> bool {
        let Some(head) = text.get(..self.bytes.len()) else {
            return false;
        };
        let same = if self.ignore_case {
            head.eq_ignore_ascii_case(&self.bytes)
        } else {
            *head == *self.bytes
        };
        same && (!self.whole || head.len() == text.len())
    }
}

impl<'m> Literal<'m> {
    /// A variable has exactly this text.
    pub fn is(variable: Variable<'m>, text: impl Into<Cow<'m, [u8]>>) -> Self {
        Literal {
            variable,
            test: text_test(text, true, false),
            wanted: true,
        }
    }

    /// A variable begins with this text.
    pub fn begins(variable: Variable<'m>, text: impl Into<Cow<'m, [u8]>>) -> Self {
        Literal {
            variable,
            test: text_test(text, false, false),
            wanted: true,
        }
    }

    /// What it is about.
    pub fn variable(&self) -> &Variable<'m> {
        &self.variable
    }

    /// Whether some text has to pass, or none may.
    pub fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// The bytes it compares with; none for presence and expressions.
    pub fn text(&self) -> Option<&[u8]> {
        match &self.test {
            Test::Text(text) => Some(&text.bytes),
            _ => None,
        }
    }

    /// Whether it holds where the variable has this one text.
    pub fn accepts(&self, text: &[u8]) -> bool {
        self.test.accepts(text) == self.wanted
    }

    /// Whether it is plain that no text passes both: their bytes exclude each other. Only of variables that have one text.
    pub fn excludes(&self, other: &Literal) -> bool {
        let (Test::Text(a), Test::Text(b)) = (&self.test, &other.test) else {
            return false;
        };
        let is_one = self.variable == other.variable && self.variable.arity() != Arity::Lines;
        is_one && self.wanted && other.wanted && a.excludes(b)
    }

    /// Some text that passes, as far as it can be told beforehand.
    pub fn samples(&self) -> Vec<String> {
        let bytes = match &self.test {
            Test::Any => Vec::new(),
            Test::Text(text) => vec![text.bytes.to_vec()],
            Test::Regex(regex) => regex.samples(),
        };
        bytes
            .into_iter()
            .filter_map(|bytes| String::from_utf8(bytes).ok())
            .collect()
    }

    pub(super) fn negated(&self) -> Self {
        Literal {
            wanted: !self.wanted,
            ..self.clone()
        }
    }
}

fn text_test<'m>(bytes: impl Into<Cow<'m, [u8]>>, whole: bool, ignore_case: bool) -> Test<'m> {
    Test::Text(Text {
        bytes: bytes.into(),
        whole,
        ignore_case,
    })
}

/// All of a match's conditions.
pub fn literals(matches: &RouteMatch) -> Vec<Literal<'_>> {
    let mut all = Vec::new();
    if let Some(port) = matches.port {
        all.push(Literal::is(Variable::Port, port.to_string().into_bytes()));
    }
    let path = path(&matches.path);
    if path != Test::Any {
        all.push(Literal {
            variable: Variable::Path,
            test: path,
            wanted: true,
        });
    }
    for header in &matches.headers {
        all.extend(self::header(header));
    }
    all.extend(matches.query_parameters.iter().map(|parameter| Literal {
        variable: Variable::QueryParameter(&parameter.name),
        test: string(&parameter.value),
        wanted: true,
    }));
    all
}

fn path(matcher: &PathMatcher) -> Test<'_> {
    match matcher {
        PathMatcher::Any => Test::Any,
        PathMatcher::Exact(path) => text_test(&**path, true, false),
        PathMatcher::ExactIgnoringCase(path) => text_test(&**path, true, true),
        PathMatcher::Prefix(path) => text_test(&**path, false, false),
        PathMatcher::PrefixIgnoringCase(path) => text_test(&**path, false, true),
        PathMatcher::Regex(regex) => self::regex(regex),
    }
}

fn string(matcher: &StringMatcher) -> Test<'_> {
    match matcher {
        StringMatcher::Present => Test::Any,
        StringMatcher::Exact(text) => text_test(&**text, true, false),
        StringMatcher::Prefix(text) if text.is_empty() => Test::Any,
        StringMatcher::Prefix(text) => text_test(&**text, false, false),
        StringMatcher::Regex(regex) => self::regex(regex),
    }
}

/// An expression that only compares bytes is no mystery.
fn regex(regex: &Regex) -> Test<'_> {
    match regex.shape() {
        Shape::Exact(bytes) => text_test(bytes, true, false),
        Shape::Prefix(bytes) if bytes.is_empty() => Test::Any,
        Shape::Prefix(bytes) => text_test(bytes, false, false),
        Shape::Other(_) => Test::Regex(regex),
    }
}

/// A condition under `withoutHeaders` takes a header that is missing for an empty one, unless it asks for presence.
fn header(matcher: &HeaderMatcher) -> impl Iterator<Item = Literal<'_>> {
    let variable = match &*matcher.name {
        ":method" => Variable::Method,
        ":authority" => Variable::Authority,
        ":scheme" => Variable::Scheme,
        name => Variable::Header(name),
    };
    let empty_is_refused = matcher.without && matcher.value != StringMatcher::Present && matcher.value.matches(b"");
    let present = empty_is_refused.then(|| Literal {
        variable: variable.clone(),
        test: Test::Any,
        wanted: true,
    });
    present.into_iter().chain([Literal {
        variable,
        test: string(&matcher.value),
        wanted: !matcher.without,
    }])
}
