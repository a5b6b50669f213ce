//! One request's fate.

use std::sync::Arc;
use std::time::Duration;

use crate::action::cors::Cors;
use crate::action::fault::Abort;
use crate::action::{self, ActionKind, Forward, RequestMirrorPolicy, WeightedCluster};
use crate::dice::Dice;
use crate::request::Request;
use crate::route::{Route, RouteTable, Taker};

mod attribute;
pub mod local_reply;
pub mod mirror;
pub mod upstream_request;

/// What becomes of a request, and why.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// No VirtualService has the host: the request goes on by the proxy's own routes.
    Untouched,
    /// A VirtualService has the host, and none of its rules matched: 404.
    NotFound,
    /// A rule matched.
    Routed(Routed),
}

/// What a rule does with one request: chance included, nothing is left open.
#[derive(Debug, Clone, PartialEq)]
pub struct Routed {
    /// The rule.
    pub route: Arc<Route>,
    /// The number that weights and mirrors were drawn with.
    pub random: u64,
    /// How long the request waits first.
    pub delay: Option<Duration>,
    /// What answers it after the delay, in place of everything below.
    pub abort: Option<Abort>,
    /// What CORS makes of it.
    pub cors: Cors,
    /// The chosen destination's position.
    pub destination: usize,
}

/// Decides over a request.
///
/// Faults come first, then CORS, then the rule's action, as Envoy's filters stand behind one another.
pub fn decide(table: &RouteTable, request: &Request, dice: &mut impl Dice) -> Decision {
    let route = match table.taker(request) {
        Taker::HttpsRedirect | Taker::Default(_) => return Decision::Untouched,
        Taker::Nothing => return Decision::NotFound,
        Taker::Rule(route) => route,
    };
    let action = &route.action;
    let random = if action.is_certain() { 0 } else { dice.next() };
    let (delay, abort) = action.fault.draw(dice);
    Decision::Routed(Routed {
        route: Arc::clone(route),
        random,
        delay,
        abort,
        cors: action
            .cors
            .as_ref()
            .map_or(Cors::NotConcerned, |policy| policy.judge(request)),
        destination: action.forward().map_or(0, |forward| forward.pick(random)),
    })
}

impl Routed {
    /// How the request goes upstream, if its rule sends it there.
    pub fn forward(&self) -> Option<&Forward> {
        self.route.action.forward()
    }

    /// The chosen destination, if there is one.
    pub fn cluster(&self) -> Option<&WeightedCluster> {
        self.forward()?.clusters.get(self.destination)
    }

    /// The mirrors that get a copy.
    pub fn mirrors(&self) -> impl Iterator<Item = &RequestMirrorPolicy> {
        let mirrors = self.forward().map_or(&[][..], |forward| &forward.mirrors);
        action::mirror::drawn(mirrors, self.random)
    }

    /// Whether the filter answers the request itself, once it has waited.
    pub fn is_answered_here(&self) -> bool {
        self.abort.is_some()
            || matches!(self.cors, Cors::Preflight | Cors::UnmatchedPreflight)
            || !matches!(self.route.action.kind, ActionKind::Forward(_))
    }
}

#[cfg(test)]
mod tests;
