//! What a rule does with a request.

use std::time::Duration;

use crate::action::cors::CorsPolicy;
use crate::action::fault::{Fault, Fraction};
use crate::action::hash_policy::HashPolicy;
use crate::action::redirect::Redirect;
use crate::action::retry::RetryPolicy;
use crate::action::rewrite::PathRewrite;
use crate::header::parser::HeaderParser;

mod compile;
pub mod cors;
pub mod fault;
pub mod hash_policy;
pub mod mirror;
pub mod percent;
pub mod redirect;
pub mod retry;
pub mod rewrite;

/// All that istiod would write into an Envoy route, but for its match.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteAction {
    /// Injected before anything else.
    pub fault: Fault,
    /// Answered or marked after the fault.
    pub cors: Option<CorsPolicy>,
    /// The rule's own operations on the request.
    pub request_headers: HeaderParser,
    /// The rule's own operations on the response.
    pub response_headers: HeaderParser,
    /// Where the request ends.
    pub kind: ActionKind,
}

impl RouteAction {
    /// How the request goes upstream, if it does.
    pub fn forward(&self) -> Option<&Forward> {
        match &self.kind {
            ActionKind::Forward(forward) => Some(forward),
            _ => None,
        }
    }

    /// Whether weights and mirrors leave nothing to chance.
    pub fn is_certain(&self) -> bool {
        self.forward().is_none_or(|forward| {
            forward.clusters.len() < 2 && forward.mirrors.iter().all(|mirror| mirror.fraction.is_all())
        })
    }
}

/// Where a request ends.
#[derive(Debug, Clone, PartialEq)]
pub enum ActionKind {
    /// Upstream.
    Forward(Box<Forward>),
    /// At an answer that sends the client elsewhere.
    Redirect(Redirect),
    /// At a fixed answer.
    DirectResponse(DirectResponse),
}

/// A fixed answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectResponse {
    /// 200 to 599.
    pub status: u16,
    /// May be empty.
    pub body: Box<[u8]>,
}

/// How a request goes upstream.
#[derive(Debug, Clone, PartialEq)]
pub struct Forward {
    /// At least one.
    pub clusters: Box<[WeightedCluster]>,
    /// The sum of the clusters' weights.
    pub total_weight: u64,
    /// Whether several were written, even if all but one have no share.
    pub is_split: bool,
    /// Replaces the authority, whatever the destination says.
    pub authority: Option<Box<str>>,
    /// Replaces the path.
    pub path: Option<PathRewrite>,
    /// What the load balancer hashes: one policy for each destination whose DestinationRule wants it, all of them for every request.
    pub hash: Box<[HashPolicy]>,
    /// For the whole exchange.
    pub timeout: Option<Duration>,
    /// None is Istio's default policy.
    pub retry: Option<RetryPolicy>,
    /// Who gets copies.
    pub mirrors: Box<[RequestMirrorPolicy]>,
}

/// A destination and its share.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightedCluster {
    /// Its name.
    pub cluster: Cluster,
    /// The subset's name, empty for all of the service.
    pub subset: Box<str>,
    /// Its part of the sum.
    pub weight: u64,
    /// Replaces the authority where the rule does not.
    pub authority: Option<Box<str>>,
    /// Done before the rule's.
    pub request_headers: HeaderParser,
    /// Done before the rule's.
    pub response_headers: HeaderParser,
}

/// A mirror and its share.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestMirrorPolicy {
    /// Where the copy goes.
    pub cluster: Cluster,
    /// How many requests.
    pub fraction: Fraction,
}

/// A cluster's name, as Istio builds it: `outbound|9080|v1|reviews.default.svc.cluster.local`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cluster {
    /// Known beforehand.
    Named(Box<str>),
    /// At the port the request came to, which is not known beforehand: subset and host.
    AtRequestPort(Box<str>, Box<str>),
}

impl Cluster {
    /// The name of a host's cluster.
    pub fn new(port: Option<u16>, subset: &str, host: &str) -> Self {
        match port {
            Some(port) => Cluster::Named(cluster_name(port, subset, host).into()),
            None => Cluster::AtRequestPort(subset.into(), host.into()),
        }
    }

    /// The subset, empty for all of a service, and the host.
    pub fn subset_and_host(&self) -> (&str, &str) {
        match self {
            Cluster::Named(name) => {
                let mut parts = name.splitn(4, '|').skip(2);
                (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
            }
            Cluster::AtRequestPort(subset, host) => (subset, host),
        }
    }

    /// The name for a request that came to `port`.
    pub fn name(&self, port: impl FnOnce() -> u16) -> std::borrow::Cow<'_, str> {
        match self {
            Cluster::Named(name) => std::borrow::Cow::Borrowed(name),
            Cluster::AtRequestPort(subset, host) => std::borrow::Cow::Owned(cluster_name(port(), subset, host)),
        }
    }
}

/// The name of a cluster in statistics, as istiod writes it: `alt_stat_name`.
pub fn alt_stat_name(cluster: &str) -> String {
    format!("{cluster};")
}

/// `BuildSubsetKey`, istio `pilot/pkg/model/service.go`.
pub fn cluster_name(port: u16, subset: &str, host: &str) -> String {
    ["outbound|", &port.to_string(), "|", subset, "|", host].concat()
}

impl Forward {
    /// Whether the rule or a destination names another authority.
    pub fn sets_authority(&self) -> bool {
        self.authority.is_some() || self.clusters.iter().any(|cluster| cluster.authority.is_some())
    }

    /// The destination that a random number falls to; a lone one takes everything.
    ///
    /// `WeightedClusterSpecifier`, envoy `source/common/router/weighted_cluster_specifier.cc`.
    pub fn pick(&self, random: u64) -> usize {
        let mut rest = random.checked_rem(self.total_weight).unwrap_or_default();
        let within = |cluster: &WeightedCluster| {
            let found = rest < cluster.weight;
            rest = rest.saturating_sub(cluster.weight);
            found
        };
        self.clusters.iter().position(within).unwrap_or_default()
    }
}
