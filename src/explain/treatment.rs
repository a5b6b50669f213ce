//! What a rule does with a request.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::{Answer, RuleReference};
use crate::action::cors::Cors;
use crate::action::fault;
use crate::decision::Routed;
use crate::header::format::Attribute;
use crate::request::Request;
use crate::route::Route;

/// What a rule does with a request, every draw with its probability.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Treatment {
    /// The rule.
    pub rule: RuleReference,
    /// Made to wait first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<Delay>,
    /// Answered after that, in place of everything below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abort: Option<Abort>,
    /// What becomes of all others.
    #[serde(flatten)]
    pub answer: Answer,
}

/// An injected delay.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Delay {
    /// In milliseconds.
    pub milliseconds: u64,
    /// Of one.
    pub probability: f64,
}

/// An injected answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Abort {
    /// Its status.
    pub status: u16,
    /// Its gRPC status, where the rule names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grpc_status: Option<&'static str>,
    /// Of one.
    pub probability: f64,
}

/// One request's draws.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Draw {
    /// The delay in milliseconds, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_milliseconds: Option<u64>,
    /// The status it is aborted with, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abort: Option<u16>,
    /// The chosen cluster, if it goes upstream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// The clusters that get copies.
    pub mirrors: Vec<String>,
}

impl Draw {
    /// What a decision drew.
    pub fn new(routed: &Routed, request: &Request) -> Self {
        let name = |cluster: &crate::action::Cluster| cluster.name(|| request.port()).into_owned();
        let goes_up = !routed.is_answered_here();
        Draw {
            delay_milliseconds: routed.delay.map(milliseconds),
            abort: routed.abort.map(|abort| status(abort).0),
            cluster: routed.cluster().filter(|_| goes_up).map(|chosen| name(&chosen.cluster)),
            mirrors: routed
                .mirrors()
                .filter(|_| goes_up)
                .map(|mirror| name(&mirror.cluster))
                .collect(),
        }
    }
}

impl Treatment {
    pub(super) fn new(route: &Arc<Route>, request: &Request, attribute: &dyn Fn(Attribute) -> Option<Vec<u8>>) -> Self {
        let action = &route.action;
        let possible = |fraction: &fault::Fraction| fraction.numerator > 0;
        let delay = action.fault.delay.filter(|(_, fraction)| possible(fraction));
        let abort = action.fault.abort.filter(|(_, fraction)| possible(fraction));
        let routed = Routed {
            route: Arc::clone(route),
            random: 0,
            delay: None,
            abort: None,
            cors: action
                .cors
                .as_ref()
                .map_or(Cors::NotConcerned, |policy| policy.judge(request)),
            destination: 0,
        };
        Treatment {
            rule: RuleReference::new(&route.rule),
            delay: delay.map(|(duration, fraction)| Delay {
                milliseconds: milliseconds(duration),
                probability: fraction.share(),
            }),
            abort: abort.map(|(abort, fraction)| Abort {
                status: status(abort).0,
                grpc_status: status(abort).1,
                probability: fraction.share(),
            }),
            answer: Answer::new(&routed, request, attribute),
        }
    }
}

fn status(abort: fault::Abort) -> (u16, Option<&'static str>) {
    match abort {
        fault::Abort::Http(status) => (status, None),
        fault::Abort::Grpc(status) => (200, fault::GRPC_STATUSES.get(usize::from(status)).copied()),
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}
