//! Why a request goes where it goes.
//!
//! The same conditions that decide say of themselves why they do not hold, and the same code that edits a request for Envoy says what
//! Envoy is told. So an explanation is no model of the filter: it is the filter, asked.

use serde::Serialize;

use crate::header::format::Attribute;
use crate::request::Request;
use crate::route::{RouteTable, Rule, Taker, VirtualHost};
pub use answer::{Answer, Choice, HeaderChange, Mirror, Retries};
pub use compact::compact;
pub use treatment::{Abort, Delay, Draw, Treatment};
pub use unmet::{Asked, Change, Unmet};

mod answer;
mod compact;
mod treatment;
mod unmet;

/// What becomes of a request, and why. All text that came from the request and is not UTF-8 is shown as near to it as can be.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The host whose rules were asked; none where no VirtualService and no service has the request's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The rules before the one that takes it, each with the first of its conditions that does not hold.
    pub passed_over: Vec<PassedOver>,
    /// What becomes of it.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// A rule that does not take the request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PassedOver {
    /// Which.
    pub rule: RuleReference,
    /// Why not.
    #[serde(flatten)]
    pub unmet: Unmet,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "verdict", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Verdict {
    /// It goes on by the proxy's own routes.
    Untouched {
        /// Why it is none of ours.
        because: Because,
        /// Where Istio's default route for a known service leads.
        #[serde(skip_serializing_if = "Option::is_none")]
        cluster: Option<String>,
    },
    /// The host has rules, and none takes it: 404.
    NotFound,
    /// A rule takes it.
    Routed(Box<Treatment>),
}

/// Why a request is none of the rules' business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Because {
    /// No VirtualService has its host.
    NoVirtualService,
    /// The gateway's server sends what comes without TLS to https before it asks any rule.
    HttpsRedirect,
}

/// A rule by where it is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleReference {
    /// `namespace/name`.
    pub virtual_service: String,
    /// Its number in `http`.
    pub http: usize,
    /// The number of the entry in its `match`; none where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#match: Option<usize>,
    /// The VirtualService that it was delegated to, and the number in its `http`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delegate: Option<(String, usize)>,
    /// Its name with its match's; empty if there is none.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub name: Box<str>,
}

impl RuleReference {
    /// Where a rule is written.
    pub fn new(rule: &Rule) -> Self {
        RuleReference {
            virtual_service: rule.virtual_service.to_string(),
            http: rule.http,
            r#match: rule.r#match,
            delegate: rule
                .delegate
                .as_ref()
                .map(|delegate| (delegate.0.to_string(), delegate.1)),
            name: rule.name.clone(),
        }
    }

    /// `http[1].match[0]`, as findings have it.
    pub fn path(&self) -> String {
        let entry = self.r#match.map(|index| format!(".match[{index}]"));
        format!("http[{}]{}", self.http, entry.unwrap_or_default())
    }
}

/// Explains a request, draws left open. Of what only a running proxy knows, `attribute` says what is shown in its place.
pub fn explain(table: &RouteTable, request: &Request, attribute: &dyn Fn(Attribute) -> Option<Vec<u8>>) -> Explanation {
    let untouched = |because, cluster: Option<&str>| Verdict::Untouched {
        because,
        cluster: cluster.map(str::to_owned),
    };
    let host = table.virtual_host(request);
    let (asks_rules, verdict) = match table.taker(request) {
        Taker::Default(cluster) => (false, untouched(Because::NoVirtualService, cluster)),
        Taker::HttpsRedirect => (false, untouched(Because::HttpsRedirect, None)),
        Taker::Nothing => (true, Verdict::NotFound),
        Taker::Rule(route) => (
            true,
            Verdict::Routed(Box::new(Treatment::new(route, request, attribute))),
        ),
    };
    Explanation {
        host: host.map(|host| host.name.to_string()),
        passed_over: host
            .filter(|_| asks_rules)
            .map_or_else(Vec::new, |host| passed_over(host, request)),
        verdict,
    }
}

/// The rules before the first that matches.
fn passed_over(host: &VirtualHost, request: &Request) -> Vec<PassedOver> {
    let path = request.path_only();
    let rules = host.routes.iter().flat_map(|routes| routes.iter());
    rules
        .map_while(|route| route.matches.check(request, path).err().map(|unmet| (route, unmet)))
        .map(|(route, unmet)| PassedOver {
            rule: RuleReference::new(&route.rule),
            unmet: Unmet {
                change: Change::of(unmet),
                ..Unmet::new(unmet, request)
            },
        })
        .collect()
}

/// Bytes as text.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests;
