//! A condition that does not hold, and what would make it hold.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

use super::text;
use crate::header::map::HeaderMap;
use crate::matcher::{self, HeaderMatcher, PathMatcher, RouteMatch, StringMatcher, query_parameter};
use crate::region::{self, Verdict};
use crate::request::Request;

/// A condition that does not hold.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Unmet {
    /// Where in a `match` it is written: `uri`, `method`, `headers.end-user`, `withoutHeaders.x`, `queryParams.v`, `port`.
    pub condition: String,
    /// What it asks for.
    pub asked: Asked,
    /// What the request has there, line by line; empty where it has nothing.
    pub found: Vec<String>,
    /// What would make it hold, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
}

/// What a condition asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Asked {
    /// Something.
    Present,
    /// The same text.
    Exact(String),
    /// The same text in any case.
    ExactIgnoringCase(String),
    /// Text that begins like this.
    Prefix(String),
    /// Text that begins like this in any case.
    PrefixIgnoringCase(String),
    /// Text that the expression takes whole.
    Regex(String),
}

/// A change of a request that makes one condition hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Change {
    /// Come to another port.
    Port(u16),
    /// Ask for another path.
    Path(String),
    /// Leave one line of a header, with this value; the method, authority and scheme are `:method`, `:authority` and `:scheme`.
    Header(String, String),
    /// Leave a header out.
    WithoutHeader(String),
    /// Have a query parameter with this value.
    QueryParameter(String, String),
    /// Nothing: no request can meet the condition.
    Impossible,
}

impl Unmet {
    /// Says it of a request; what would change it is left open.
    pub(super) fn new(unmet: matcher::Unmet, request: &Request) -> Self {
        let (condition, asked, found) = match unmet {
            matcher::Unmet::Port(port) => {
                let asked = Asked::Exact(port.to_string());
                ("port".to_owned(), asked, vec![request.port().to_string()])
            }
            matcher::Unmet::Path(path) => ("uri".to_owned(), Asked::path(path), vec![text(request.path_only())]),
            matcher::Unmet::Header(header) => {
                let found = request.values(&header.name).map(text);
                (condition(header), Asked::string(&header.value), found.collect())
            }
            matcher::Unmet::QueryParameter(parameter) => {
                let found = query_parameter(request.query(), parameter.name.as_bytes());
                let condition = format!("queryParams.{}", parameter.name);
                (
                    condition,
                    Asked::string(&parameter.value),
                    found.map(text).into_iter().collect(),
                )
            }
        };
        Unmet {
            condition,
            asked,
            found,
            change: None,
        }
    }

    /// Whether it asks that a header is not like this.
    fn is_without(&self) -> bool {
        self.condition.starts_with("withoutHeaders.")
    }
}

fn condition(header: &HeaderMatcher) -> String {
    match (&*header.name, header.without) {
        (":method", false) => "method".to_owned(),
        (":authority", false) => "authority".to_owned(),
        (":scheme", false) => "scheme".to_owned(),
        (name, true) => format!("withoutHeaders.{name}"),
        (name, false) => format!("headers.{name}"),
    }
}

impl Change {
    /// What would make a condition hold, if that can be told.
    pub(super) fn of(unmet: matcher::Unmet) -> Option<Self> {
        let mut alone = RouteMatch::default();
        match unmet {
            matcher::Unmet::Port(port) => return Some(Change::Port(port)),
            matcher::Unmet::Path(path) => alone.path = path.clone(),
            matcher::Unmet::Header(header) => alone.headers = [header.clone()].into(),
            matcher::Unmet::QueryParameter(parameter) => alone.query_parameters = [parameter.clone()].into(),
        }
        let witness = match region::find(&region::literals(&alone), &[]) {
            Verdict::Inhabited(witness) => witness,
            Verdict::Empty(_) => return Some(Change::Impossible),
            Verdict::Unknown => return None,
        };
        let text = |bytes: Option<Vec<u8>>| String::from_utf8(bytes?).ok();
        match unmet {
            matcher::Unmet::Header(header) => {
                let name = header.name.to_string();
                let value = match &*header.name {
                    ":method" => witness.method,
                    ":authority" => witness.authority,
                    ":scheme" => witness.scheme,
                    _ => match witness.headers.into_iter().next() {
                        Some((_, value)) => Some(value),
                        None => return Some(Change::WithoutHeader(name)),
                    },
                };
                Some(Change::Header(name, text(value)?))
            }
            matcher::Unmet::QueryParameter(_) => {
                let (name, value) = witness.query.into_iter().next()?;
                Some(Change::QueryParameter(name, text(Some(value))?))
            }
            matcher::Unmet::Path(_) | matcher::Unmet::Port(_) => Some(Change::Path(text(witness.path)?)),
        }
    }
}

impl Asked {
    fn string(matcher: &StringMatcher) -> Self {
        match matcher {
            StringMatcher::Present => Asked::Present,
            StringMatcher::Exact(exact) => Asked::Exact(text(exact)),
            StringMatcher::Prefix(prefix) => Asked::Prefix(text(prefix)),
            StringMatcher::Regex(regex) => Asked::Regex(regex.as_str().to_owned()),
        }
    }

    fn path(matcher: &PathMatcher) -> Self {
        match matcher {
            PathMatcher::Any => Asked::Present,
            PathMatcher::Exact(exact) => Asked::Exact(text(exact)),
            PathMatcher::ExactIgnoringCase(exact) => Asked::ExactIgnoringCase(text(exact)),
            PathMatcher::Prefix(prefix) => Asked::Prefix(text(prefix)),
            PathMatcher::PrefixIgnoringCase(prefix) => Asked::PrefixIgnoringCase(text(prefix)),
            PathMatcher::Regex(regex) => Asked::Regex(regex.as_str().to_owned()),
        }
    }
}

impl Change {
    /// The headers with the change made. A port is none of them.
    pub fn applied(&self, headers: &HeaderMap) -> HeaderMap {
        let mut changed = headers.clone();
        let mut set = |name: &str, value: &[u8]| {
            // Pseudo-headers stand before all others.
            let mut map = HeaderMap::default();
            let lines = headers.iter().filter(|(other, _)| *other != name.as_bytes());
            let first = [(name.as_bytes(), value)];
            let (pseudo, others): (Vec<_>, Vec<_>) = first
                .into_iter()
                .chain(lines)
                .partition(|(name, _)| name.first() == Some(&b':'));
            for (name, value) in pseudo.into_iter().chain(others) {
                map.push(&text(name), value);
            }
            changed = map;
        };
        let request = Request::new(headers);
        match self {
            Change::Port(_) | Change::Impossible => {}
            Change::Path(path) => {
                let rest = request.path.get(request.path_only().len()..).unwrap_or_default();
                set(":path", &[path.as_bytes(), rest].concat());
            }
            Change::Header(name, value) => set(name, value.as_bytes()),
            Change::WithoutHeader(name) => changed.remove(name),
            Change::QueryParameter(name, value) => {
                let query: Vec<&[u8]> = request.query().into_iter().collect();
                let parameter = format!("{name}={value}");
                let query = [&[parameter.as_bytes()], &query[..]].concat().join(&b'&');
                set(":path", &[request.path_only(), b"?", &query].concat());
            }
        }
        changed
    }
}

/// As in `it is bob, and has to be jason`.
impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = match &self.found[..] {
            [] if self.is_without() => Cow::Borrowed("is missing, which counts as empty,"),
            [] => Cow::Borrowed("is missing,"),
            lines => {
                let lines: Vec<Cow<str>> = lines.iter().map(|line| quoted(line)).collect();
                Cow::Owned(format!("is {},", lines.join(" and ")))
            }
        };
        let name = match self.condition.as_str() {
            "uri" => "path".to_owned(),
            condition => match condition.split_once('.') {
                Some(("queryParams", name)) => format!("query parameter {name}"),
                Some((_, name)) => format!("header {name}"),
                None => condition.to_owned(),
            },
        };
        let asked = match (&self.asked, self.is_without()) {
            (Asked::Present, true) => "and must not be there".to_owned(),
            (asked, true) => format!("and must not {asked}"),
            (Asked::Present, false) => "and has to be there".to_owned(),
            (asked, false) => format!("and has to {asked}"),
        };
        write!(f, "{name} {found} {asked}")
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Asked::Present => f.write_str("be there"),
            Asked::Exact(text) => write!(f, "be {}", quoted(text)),
            Asked::ExactIgnoringCase(text) => write!(f, "be {} in any case", quoted(text)),
            Asked::Prefix(text) => write!(f, "begin with {}", quoted(text)),
            Asked::PrefixIgnoringCase(text) => write!(f, "begin with {} in any case", quoted(text)),
            Asked::Regex(text) => write!(f, "match {}", quoted(text)),
        }
    }
}

/// In quotes where it could be taken for something else, and without anything that a terminal would obey.
fn quoted(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./~*%@:+=&^$()[]{}|\\?<>!#".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(format!("{text:?}"))
    }
}
