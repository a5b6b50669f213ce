//! `trafficPolicy`, of a host, a subset or a port.

use super::client_tls::client_tls;
use super::connection_pool::connection_pool;
use super::load_balancer::load_balancer;
use super::{At, destination, name, value};
use crate::config::destination_rule::{
    ClientTLSSettings, ConnectionPoolSettings, LoadBalancerSettings, OutlierDetection, PROXY_PROTOCOLS,
    PortTrafficPolicy, TrafficPolicy, TunnelSettings,
};

pub(super) fn traffic_policy(at: &At, policy: &TrafficPolicy) {
    if *policy == TrafficPolicy::default() {
        return at.error("is empty; write loadBalancer, connectionPool, outlierDetection or tls, or remove it");
    }
    if policy.tunnel.is_some() && policy.proxy_protocol.is_some() {
        at.field("proxyProtocol")
            .error("stands beside tunnel; keep one of them");
    }
    let TrafficPolicy {
        load_balancer,
        connection_pool,
        outlier_detection,
        tls,
        ..
    } = policy;
    blocks(at, load_balancer, connection_pool, outlier_detection, tls);
    for (at, port) in at.each("portLevelSettings", &policy.port_level_settings) {
        port_policy(&at, port);
    }
    if let Some(tunnel) = &policy.tunnel {
        self::tunnel(&at.field("tunnel"), tunnel);
    }
    if let Some(protocol) = &policy.proxy_protocol {
        let at = at.field("proxyProtocol");
        value::enumeration(&at.field("version"), protocol.version.as_ref(), &PROXY_PROTOCOLS);
    }
    if let Some(budget) = &policy.retry_budget {
        let at = at.field("retryBudget");
        if budget.percent.is_some_and(|percent| !(0.0..=100.0).contains(&percent)) {
            at.field("percent").error("is no percentage; write 0 to 100");
        }
        value::duration(&at.field("budgetInterval"), budget.budget_interval.as_ref());
        value::uint32(
            &at.field("minRetryConcurrency"),
            budget.min_retry_concurrency.unwrap_or_default(),
        );
    }
}

fn port_policy(at: &At, policy: &PortTrafficPolicy) {
    let PortTrafficPolicy {
        port,
        load_balancer,
        connection_pool,
        outlier_detection,
        tls,
    } = policy;
    match port {
        Some(port) => destination::port_selector(&at.field("port"), Some(port)),
        None => at.field("port").error("is missing; write {number: …}"),
    }
    if load_balancer.is_none() && connection_pool.is_none() && outlier_detection.is_none() && tls.is_none() {
        at.error("is empty; write loadBalancer, connectionPool, outlierDetection or tls, or remove it");
    }
    blocks(at, load_balancer, connection_pool, outlier_detection, tls);
}

fn blocks(
    at: &At,
    balancer: &Option<LoadBalancerSettings>,
    pool: &Option<ConnectionPoolSettings>,
    outlier: &Option<OutlierDetection>,
    tls: &Option<ClientTLSSettings>,
) {
    if let Some(outlier) = outlier {
        outlier_detection(&at.field("outlierDetection"), outlier);
    }
    if let Some(pool) = pool {
        connection_pool(&at.field("connectionPool"), pool);
    }
    if let Some(balancer) = balancer {
        load_balancer(&at.field("loadBalancer"), balancer, outlier.is_some());
    }
    if let Some(tls) = tls {
        client_tls(&at.field("tls"), tls);
    }
}

fn outlier_detection(at: &At, outlier: &OutlierDetection) {
    value::duration(&at.field("interval"), outlier.interval.as_ref());
    value::duration(&at.field("baseEjectionTime"), outlier.base_ejection_time.as_ref());
    value::whole_percent(&at.field("maxEjectionPercent"), outlier.max_ejection_percent);
    value::whole_percent(&at.field("minHealthPercent"), outlier.min_health_percent);
    let errors = at.field("consecutiveErrors");
    value::int32(&errors, outlier.consecutive_errors);
    if outlier.consecutive_errors != 0 {
        errors.warn("is deprecated and counts as consecutiveGatewayErrors; write that or consecutive5xxErrors");
    }
    for (field, count) in [
        ("consecutiveGatewayErrors", outlier.consecutive_gateway_errors),
        ("consecutive5xxErrors", outlier.consecutive_5xx_errors),
        (
            "consecutiveLocalOriginFailures",
            outlier.consecutive_local_origin_failures,
        ),
    ] {
        value::uint32(&at.field(field), count.unwrap_or_default());
    }
    let local = outlier.consecutive_local_origin_failures.is_some_and(|count| count > 0);
    if local && !outlier.split_external_local_origin_errors {
        at.field("consecutiveLocalOriginFailures")
            .error("counts nothing unless splitExternalLocalOriginErrors is true; set it, or remove this");
    }
    for (at, code) in at.each(
        "outlierDetectionHttpErrorCodes",
        &outlier.outlier_detection_http_error_codes,
    ) {
        if !(100..=599).contains(code) {
            at.error(format!("{code} is no HTTP status; write 100 to 599"));
        }
    }
}

fn tunnel(at: &At, tunnel: &TunnelSettings) {
    if !["", "CONNECT", "POST"].contains(&tunnel.protocol.as_str()) {
        at.field("protocol")
            .error(format!("`{}` is neither CONNECT nor POST", tunnel.protocol));
    }
    match name::host(&tunnel.target_host, false) {
        Err(message) if !name::is_address(&tunnel.target_host) => at.field("targetHost").error(message),
        _ => {}
    }
    value::port(&at.field("targetPort"), tunnel.target_port);
}
