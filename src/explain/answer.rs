//! How a request ends, with all that Envoy is told for it.

use serde::Serialize;

use super::text;
use crate::action::Forward;
use crate::action::retry::{DEFAULT_ATTEMPTS, DEFAULT_RETRY_ON};
use crate::decision::Routed;
use crate::header::edits::HeaderEdit;
use crate::header::format::Attribute;
use crate::header::map::HeaderMap;
use crate::request::Request;
use crate::reserved;

/// How a request ends that is not aborted.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Answer {
    /// The filter answers.
    Local {
        /// The status.
        status: u16,
        /// `%RESPONSE_CODE_DETAILS%`.
        details: &'static str,
        /// In order.
        headers: Vec<(String, String)>,
        /// As text.
        body: String,
    },
    /// A destination answers.
    Upstream {
        /// Where to, with its share.
        destinations: Vec<Choice>,
        /// For the whole exchange, in milliseconds; none is unlimited.
        timeout_milliseconds: Option<u64>,
        /// When Envoy tries again.
        retries: Retries,
        /// Who gets copies.
        mirrors: Vec<Mirror>,
    },
}

/// A destination.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Choice {
    /// As `outbound|9080|v1|reviews.default.svc.cluster.local`.
    pub cluster: String,
    /// Empty for all of the service.
    pub subset: String,
    /// Of one.
    pub probability: f64,
    /// The path as it goes up, where it changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The authority as it goes up, where it changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
    /// What changes in the request's other headers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<HeaderChange>,
    /// What changes in the response's headers; formats that take the upstream's answer are filled in without it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub response_headers: Vec<HeaderChange>,
}

/// A change of one header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum HeaderChange {
    /// Leaves one line.
    Set(String, String),
    /// Adds a line.
    Add(String, String),
    /// Leaves none.
    Remove(String),
}

/// Retries, as Envoy is asked for them.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Retries {
    /// After the first try.
    pub attempts: u32,
    /// Envoy's conditions.
    pub on: String,
    /// For each try, in milliseconds; none is unlimited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_try_milliseconds: Option<u64>,
    /// Whether it is Istio's default, which no rule asked for.
    pub is_default: bool,
}

/// A destination that gets a copy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mirror {
    /// Where the copy goes.
    pub cluster: String,
    /// Of one.
    pub probability: f64,
}

impl Answer {
    pub(super) fn new(routed: &Routed, request: &Request, attribute: &dyn Fn(Attribute) -> Option<Vec<u8>>) -> Self {
        if let Some(reply) = routed.local_reply(request, attribute) {
            let headers = reply.headers.iter().map(|(name, value)| (text(name), text(value)));
            return Answer::Local {
                status: reply.status,
                details: reply.details,
                headers: headers.collect(),
                body: text(&reply.body),
            };
        }
        let forward = routed.forward();
        let clusters = forward.map_or(0, |forward| forward.clusters.len());
        let each = (0..clusters).map(|destination| Routed {
            destination,
            ..routed.clone()
        });
        let mirrors = forward.map_or(&[][..], |forward| &forward.mirrors);
        let mirrors = mirrors.iter().map(|mirror| Mirror {
            cluster: mirror.cluster.name(|| request.port()).into_owned(),
            probability: mirror.fraction.share(),
        });
        Answer::Upstream {
            destinations: each.filter_map(|routed| choice(&routed, request, attribute)).collect(),
            timeout_milliseconds: timeout(routed, request, attribute),
            retries: Retries::of(forward),
            mirrors: mirrors.collect(),
        }
    }
}

fn choice(routed: &Routed, request: &Request, attribute: &dyn Fn(Attribute) -> Option<Vec<u8>>) -> Option<Choice> {
    let (forward, chosen) = (routed.forward()?, routed.cluster()?);
    let probability = if forward.clusters.len() < 2 {
        1.0
    } else {
        chosen.weight as f64 / forward.total_weight.max(1) as f64
    };
    let response = HeaderMap::default();
    let response = routed.response_edits(&response, request, attribute);
    let mut choice = Choice {
        cluster: chosen.cluster.name(|| request.port()).into_owned(),
        subset: chosen.subset.to_string(),
        probability,
        path: None,
        authority: None,
        headers: Vec::new(),
        response_headers: response.into_edits().iter().map(HeaderChange::new).collect(),
    };
    for edit in &routed.request_edits(request, attribute).into_edits() {
        match HeaderChange::new(edit) {
            HeaderChange::Set(name, value) if name == ":path" => choice.path = Some(value),
            HeaderChange::Set(name, value) if name == ":authority" => choice.authority = Some(value),
            change if change.is_for_envoy() => {}
            change => choice.headers.push(change),
        }
    }
    Some(choice)
}

impl HeaderChange {
    fn new(edit: &HeaderEdit) -> Self {
        match edit {
            HeaderEdit::Remove(name) => HeaderChange::Remove(name.to_string()),
            HeaderEdit::Set(name, value) => HeaderChange::Set(name.to_string(), text(value)),
            HeaderEdit::Add(name, value) => HeaderChange::Add(name.to_string(), text(value)),
        }
    }

    /// The header.
    pub fn name(&self) -> &str {
        match self {
            HeaderChange::Set(name, _) | HeaderChange::Add(name, _) | HeaderChange::Remove(name) => name,
        }
    }

    /// Whether Envoy is asked for something by it, and takes it out again.
    fn is_for_envoy(&self) -> bool {
        const ASKING: [&str; 6] = [
            "x-envoy-upstream-rq-timeout-ms",
            "x-envoy-upstream-rq-per-try-timeout-ms",
            "x-envoy-retry-on",
            "x-envoy-retry-grpc-on",
            "x-envoy-retriable-status-codes",
            "x-envoy-max-retries",
        ];
        let name = self.name();
        reserved::is_reserved(name.as_bytes()) || ASKING.contains(&name)
    }
}

/// What Envoy is asked for: a gRPC client's own deadline counts.
fn timeout(routed: &Routed, request: &Request, attribute: &dyn Fn(Attribute) -> Option<Vec<u8>>) -> Option<u64> {
    let edits = routed.request_edits(request, attribute);
    edits.into_edits().iter().find_map(|edit| match edit {
        HeaderEdit::Set(name, value) if name == "x-envoy-upstream-rq-timeout-ms" => text(value).parse().ok(),
        _ => None,
    })
}

impl Retries {
    /// What a rule asks Envoy for.
    pub fn of(forward: Option<&Forward>) -> Self {
        let Some(policy) = forward.and_then(|forward| forward.retry.as_ref()) else {
            return Retries {
                attempts: DEFAULT_ATTEMPTS,
                on: DEFAULT_RETRY_ON.to_owned(),
                per_try_milliseconds: None,
                is_default: true,
            };
        };
        let header = |wanted: &str| {
            policy
                .headers
                .iter()
                .find(|(name, _)| *name == wanted)
                .map(|(_, value)| value.as_str())
        };
        let conditions = [
            "x-envoy-retry-on",
            "x-envoy-retry-grpc-on",
            "x-envoy-retriable-status-codes",
        ];
        let on: Vec<&str> = conditions.into_iter().filter_map(header).collect();
        Retries {
            attempts: header("x-envoy-max-retries")
                .and_then(|text| text.parse().ok())
                .unwrap_or_default(),
            on: on.join(","),
            per_try_milliseconds: header("x-envoy-upstream-rq-per-try-timeout-ms").and_then(|text| text.parse().ok()),
            is_default: false,
        }
    }
}
