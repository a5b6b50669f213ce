//! `envoy.config.cluster.v3.Cluster`: one for each port of a service, and one for each of its subsets there.
//!
//! `buildOutboundClusters`, istio `pilot/pkg/networking/core/cluster.go`.

use serde_json::{Value, json};

use super::circuit_breakers::circuit_breakers;
use super::endpoint::{self, Nearness};
use super::http_protocol_options::{http_protocol_options, is_http2};
use super::load_balancer::load_balancer;
use super::locality;
use super::message::{extension, message, written};
use super::outlier_detection::{healthy_panic_threshold, outlier_detection};
use super::transport_socket::{self, Secrets};
use crate::action::{alt_stat_name, cluster_name};
use crate::config::destination_rule::{Subset, TCPSettings};
use crate::destination_rule::{MergedRule, Policy};
use crate::registry::protocol::Protocol;
use crate::registry::{Endpoint, Resolution, Service, ServicePort};

/// A cluster, and its endpoints apart where they can be: Envoy then takes new endpoints without a new cluster.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cluster {
    pub name: String,
    pub value: Value,
    /// For EDS or `load_assignment`.
    pub endpoints: Option<Value>,
}

/// What clusters are made with, whatever their service.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub near: Nearness<'a>,
    pub secrets: Secrets<'a>,
    /// Whether a gateway sends requests there, whose clients speak HTTP/2 wherever they are offered it: what they speak says nothing of
    /// what a service understands.
    pub from_edge: bool,
}

/// The clusters of a service. A subset that is looked up and has no endpoint gets none, as istiod has it: there is nothing to look up.
pub(super) fn clusters(service: &Service, rule: Option<&MergedRule>, around: Surroundings) -> Vec<Cluster> {
    let none = MergedRule::default();
    let rule = rule.unwrap_or(&none);
    let streams = service.ports.iter().filter(|port| port.protocol != Protocol::Udp);
    let all = streams.flat_map(|port| {
        let subsets = rule.subsets.iter().map(|subset| Some(*subset));
        std::iter::once(None)
            .chain(subsets)
            .filter_map(move |subset| cluster(service, port, subset, &rule.policy(port.number, subset), around))
    });
    all.collect()
}

fn cluster(
    service: &Service,
    port: &ServicePort,
    subset: Option<&Subset>,
    policy: &Policy,
    around: Surroundings,
) -> Option<Cluster> {
    let name = cluster_name(port.number, subset.map_or("", |subset| &subset.name), service.target());
    let itself = service.itself();
    let endpoints = match &itself {
        Some(endpoint) => vec![endpoint],
        None => endpoint::select(service, port, subset.map(|subset| &subset.labels)),
    };
    let discovery = Discovery::of(service, &endpoints)?;
    let near = Nearness {
        fails_over: policy.outlier_detection.is_some(),
        setting: policy
            .load_balancer
            .and_then(|settings| settings.locality_lb_setting.as_ref()),
        ..around.near
    };
    let near = near.unless_disabled();
    let tcp = policy.connection_pool.and_then(|pool| pool.tcp.as_ref());
    let http2 = is_http2(port.protocol, policy);
    let mut fields = message(json!({
        "name": name,
        "alt_stat_name": alt_stat_name(&name),
        "connect_timeout": tcp.and_then(|tcp| written(tcp.connect_timeout.as_deref())).unwrap_or_else(|| "10s".to_owned()),
        "circuit_breakers": circuit_breakers(policy),
        "outlier_detection": policy.outlier_detection.map(outlier_detection),
        "common_lb_config": {
            "healthy_panic_threshold": healthy_panic_threshold(policy.outlier_detection),
            "locality_weighted_lb_config": locality::is_weighted(&near).then(|| json!({})),
        },
        "typed_extension_protocol_options": http_protocol_options(port.protocol, policy, !around.from_edge),
        "transport_socket": transport_socket::upstream(policy, &service.subject_alt_names, http2, around.secrets),
        "upstream_connection_options": tcp.and_then(keepalive),
    }));
    merge(&mut fields, discovery.fields());
    if discovery != Discovery::ByRequest {
        merge(&mut fields, load_balancer(policy.load_balancer));
    }
    Some(Cluster {
        endpoints: (discovery != Discovery::ByRequest)
            .then(|| endpoint::load_assignment(&name, &endpoints, port, near)),
        value: fields,
        name,
    })
}

impl Cluster {
    /// Whether Envoy need not look up names for it.
    pub fn is_static(&self) -> bool {
        self.value.get("type").is_some_and(|kind| kind == "STATIC")
    }

    /// The whole of it in one message.
    pub fn inline(self) -> Value {
        let mut value = self.value;
        merge(&mut value, message(json!({"load_assignment": self.endpoints})));
        value
    }

    /// With its endpoints in a file.
    pub fn discovered(self, eds_config: Value) -> Value {
        let mut value = self.value;
        merge(
            &mut value,
            json!({"type": "EDS", "eds_cluster_config": {"eds_config": eds_config}}),
        );
        value
    }
}

/// How Envoy gets at addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Discovery {
    Static,
    /// Every address of every name.
    StrictDns,
    /// One address of one name at a time.
    LogicalDns,
    /// Of the name that a request asks for.
    ByRequest,
}

impl Discovery {
    /// Addresses that are no names need no looking up, whatever the service says. A wildcard has no addresses of its own.
    fn of(service: &Service, endpoints: &[&Endpoint]) -> Option<Self> {
        let named = endpoints.iter().any(|endpoint| endpoint::is_name(endpoint));
        let looked_up = !matches!(service.resolution, Resolution::Static);
        if service.hostname.starts_with('*') && looked_up && endpoints.is_empty() {
            return Some(Discovery::ByRequest);
        }
        match (named, service.resolution) {
            (true, Resolution::DnsRoundRobin) if endpoints.len() == 1 => Some(Discovery::LogicalDns),
            (true, _) => Some(Discovery::StrictDns),
            (false, _) if endpoints.is_empty() && looked_up => None,
            (false, _) => Some(Discovery::Static),
        }
    }

    fn fields(self) -> Value {
        let looked_up = |one_at_a_time: bool| {
            let name = "envoy.extensions.clusters.dns.v3.DnsCluster";
            let config = json!({
                "dns_lookup_family": "V4_PREFERRED",
                "dns_refresh_rate": "60s",
                "dns_jitter": "0.100s",
                "respect_dns_ttl": true,
                "all_addresses_in_single_endpoint": one_at_a_time.then_some(true),
            });
            json!({"cluster_type": extension("envoy.clusters.dns", name, config)})
        };
        match self {
            Discovery::Static => json!({"type": "STATIC"}),
            Discovery::StrictDns => looked_up(false),
            Discovery::LogicalDns => looked_up(true),
            Discovery::ByRequest => {
                let name = "envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig";
                let config = json!({"dns_cache_config": {"name": "switchyard", "dns_lookup_family": "V4_PREFERRED"}});
                json!({
                    "cluster_type": extension("envoy.clusters.dynamic_forward_proxy", name, config),
                    "lb_policy": "CLUSTER_PROVIDED",
                })
            }
        }
    }
}

fn keepalive(tcp: &TCPSettings) -> Option<Value> {
    let keepalive = tcp.tcp_keepalive.as_ref()?;
    let seconds = |text: &Option<String>| {
        let duration = text.as_deref().and_then(|text| crate::duration::parse(text).ok());
        duration.map(|duration| duration.as_secs())
    };
    Some(json!({"tcp_keepalive": {
        "keepalive_probes": super::message::positive(keepalive.probes),
        "keepalive_time": seconds(&keepalive.time),
        "keepalive_interval": seconds(&keepalive.interval),
    }}))
}

/// Adds the fields of one message to another, in place of those it has.
fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}
