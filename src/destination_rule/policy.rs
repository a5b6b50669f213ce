//! What holds for one port of a host and one of its subsets.
//!
//! `GetPortLevelTrafficPolicy` and `MergeSubsetTrafficPolicy`, istio `pilot/pkg/networking/util/util.go`.

use crate::config::destination_rule::{
    ClientTLSSettings, ConnectionPoolSettings, ConsistentHashLB, LoadBalancerSettings, OutlierDetection,
    PortTrafficPolicy, ProxyProtocol, RetryBudget, Subset, TrafficPolicy, TunnelSettings,
};

use super::MergedRule;

/// A policy of which every block is where it was written.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Policy<'a> {
    /// Which endpoint gets a request.
    pub load_balancer: Option<&'a LoadBalancerSettings>,
    /// How much may be under way.
    pub connection_pool: Option<&'a ConnectionPoolSettings>,
    /// When an endpoint is left out.
    pub outlier_detection: Option<&'a OutlierDetection>,
    /// TLS to the upstream.
    pub tls: Option<&'a ClientTLSSettings>,
    /// The PROXY protocol's version.
    pub proxy_protocol: Option<&'a ProxyProtocol>,
    /// A tunnel; for streams of bytes only.
    pub tunnel: Option<&'a TunnelSettings>,
    /// Retries as a share of what is under way.
    pub retry_budget: Option<&'a RetryBudget>,
}

impl<'a> MergedRule<'a> {
    /// The policy of a service's port, for all of its endpoints or for those of a subset.
    ///
    /// An entry under `portLevelSettings` replaces the policy it stands in as a whole: what it does not say is a default. A subset's
    /// policy overrides the rule's block by block, and with an entry for the port all of the blocks that such an entry can have.
    pub fn policy(&self, port: u16, subset: Option<&'a Subset>) -> Policy<'a> {
        let policy = self
            .traffic_policy
            .map_or(Policy::default(), |policy| match at_port(policy, port) {
                Some(entry) => Policy::of_port(entry),
                None => Policy::of(policy),
            });
        let Some(own) = subset.and_then(|subset| subset.traffic_policy.as_ref()) else {
            return policy;
        };
        match at_port(own, port) {
            Some(entry) => Policy {
                proxy_protocol: policy.proxy_protocol,
                tunnel: policy.tunnel,
                retry_budget: policy.retry_budget,
                ..Policy::of_port(entry)
            },
            None => Policy::of(own).or(policy),
        }
    }

    /// What the endpoint of a request to a destination is chosen by. An entry for a port counts only where the destination names that
    /// port itself.
    ///
    /// `getHashForDestination`, istio `pilot/pkg/networking/core/route/route.go`.
    pub fn consistent_hash(&self, subset: &str, port: Option<u16>) -> Option<&'a ConsistentHashLB> {
        let own = self.subset(subset).and_then(|subset| subset.traffic_policy.as_deref());
        let of = |policy: &'a TrafficPolicy| {
            let entry = port.and_then(|port| at_port(policy, port));
            let hash = |settings: &'a Option<LoadBalancerSettings>| settings.as_ref()?.consistent_hash.as_ref();
            entry
                .and_then(|entry| hash(&entry.load_balancer))
                .or_else(|| hash(&policy.load_balancer))
        };
        own.and_then(of).or_else(|| self.traffic_policy.and_then(of))
    }
}

fn at_port(policy: &TrafficPolicy, port: u16) -> Option<&PortTrafficPolicy> {
    let is_at = |entry: &&PortTrafficPolicy| {
        let at = entry.port.as_ref();
        at.is_some_and(|at| at.number == i64::from(port))
    };
    policy.port_level_settings.iter().find(is_at)
}

impl<'a> Policy<'a> {
    fn of(policy: &'a TrafficPolicy) -> Self {
        Policy {
            load_balancer: policy.load_balancer.as_ref(),
            connection_pool: policy.connection_pool.as_ref(),
            outlier_detection: policy.outlier_detection.as_ref(),
            tls: policy.tls.as_ref(),
            proxy_protocol: policy.proxy_protocol.as_ref(),
            tunnel: policy.tunnel.as_ref(),
            retry_budget: policy.retry_budget.as_ref(),
        }
    }

    fn of_port(entry: &'a PortTrafficPolicy) -> Self {
        Policy {
            load_balancer: entry.load_balancer.as_ref(),
            connection_pool: entry.connection_pool.as_ref(),
            outlier_detection: entry.outlier_detection.as_ref(),
            tls: entry.tls.as_ref(),
            ..Policy::default()
        }
    }

    /// Block by block.
    fn or(self, other: Policy<'a>) -> Self {
        Policy {
            load_balancer: self.load_balancer.or(other.load_balancer),
            connection_pool: self.connection_pool.or(other.connection_pool),
            outlier_detection: self.outlier_detection.or(other.outlier_detection),
            tls: self.tls.or(other.tls),
            proxy_protocol: self.proxy_protocol.or(other.proxy_protocol),
            tunnel: self.tunnel.or(other.tunnel),
            retry_budget: self.retry_budget.or(other.retry_budget),
        }
    }
}
