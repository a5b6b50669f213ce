//! What can differ between requests, and which text each part may have.

use std::borrow::Cow;

use crate::header::edits::is_kept_in_one_line;
use crate::request::normalize;

/// A part of a request, or of the proxy that has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Variable<'m> {
    /// The namespace of the proxy that has it.
    SourceNamespace,
    /// A label of the proxy that has it.
    SourceLabel(&'m str),
    /// The port it came to.
    Port,
    /// Its path without the query.
    Path,
    /// Its method.
    Method,
    /// Its authority.
    Authority,
    /// Its scheme.
    Scheme,
    /// A header, by lower-case name.
    Header(&'m str),
    /// The first query parameter of a name.
    QueryParameter(&'m str),
}

/// How much text a variable has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arity {
    /// Always one.
    One,
    /// One or none.
    Optional,
    /// Any number.
    Lines,
}

impl Variable<'_> {
    pub(super) fn arity(&self) -> Arity {
        match self {
            Variable::SourceLabel(_) | Variable::QueryParameter(_) => Arity::Optional,
            Variable::Header(name) if is_kept_in_one_line(name) => Arity::Optional,
            Variable::Header(_) => Arity::Lines,
            _ => Arity::One,
        }
    }

    /// Text to begin with where little is asked for, the most usual first.
    pub(super) fn usual(&self) -> &'static [&'static [u8]] {
        match self {
            Variable::SourceNamespace => &[b"default"],
            Variable::Port => &[b"80"],
            Variable::Path => &[b"/"],
            Variable::Method => &[b"GET", b"POST", b"PUT", b"DELETE", b"PATCH", b"HEAD", b"OPTIONS"],
            Variable::Authority => &[b"example.com"],
            Variable::Scheme => &[b"http"],
            Variable::SourceLabel(_) | Variable::Header(_) | Variable::QueryParameter(_) => &[b"x"],
        }
    }

    /// The text of a request about which nothing is said.
    pub(super) fn untold(&self) -> Option<&'static [u8]> {
        self.usual().first().copied().filter(|_| self.arity() == Arity::One)
    }

    /// Every text it may have, where they can be listed; `taken` is how many of them are spoken for.
    pub(super) fn listed(&self, taken: usize) -> Option<Vec<Cow<'static, [u8]>>> {
        match self {
            Variable::Scheme => Some(vec![Cow::Borrowed(b"http"), Cow::Borrowed(b"https")]),
            Variable::Port => {
                let others = (1..=u16::MAX).take(taken + 1);
                let ports = [80, 443, 8080].into_iter().chain(others);
                Some(ports.map(|port| Cow::Owned(port.to_string().into_bytes())).collect())
            }
            _ => None,
        }
    }

    /// Whether a request can have this text there at all.
    pub(super) fn admits(&self, text: &[u8]) -> bool {
        let is_token = |text: &[u8]| !text.is_empty() && text.iter().all(|byte| byte.is_ascii_graphic());
        match self {
            Variable::Port => {
                std::str::from_utf8(text).is_ok_and(|text| text.parse::<u16>().is_ok_and(|port| port > 0))
            }
            Variable::Scheme => matches!(text, b"http" | b"https"),
            Variable::Path => {
                let is_plain = |byte: &u8| byte.is_ascii_graphic() && !b"?#".contains(byte);
                text.first() == Some(&b'/')
                    && text.iter().all(is_plain)
                    && normalize::path(text).is_some_and(|path| path == text)
            }
            Variable::Method | Variable::Authority | Variable::SourceNamespace => is_token(text),
            Variable::QueryParameter(name) => {
                let plain = |text: &[u8], refused: &[u8]| {
                    text.iter()
                        .all(|byte| byte.is_ascii_graphic() && !refused.contains(byte))
                };
                plain(text, b"&#") && plain(name.as_bytes(), b"&#=")
            }
            Variable::Header(_) => {
                text.trim_ascii().len() == text.len() && !text.iter().any(|byte| matches!(byte, 0 | b'\n' | b'\r'))
            }
            Variable::SourceLabel(_) => true,
        }
    }
}
