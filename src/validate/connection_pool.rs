//! `connectionPool`.

use super::{At, value};
use crate::config::destination_rule::{ConnectionPoolSettings, H2_UPGRADE_POLICIES, HTTPSettings, TCPSettings};

pub(super) fn connection_pool(at: &At, pool: &ConnectionPoolSettings) {
    if pool.tcp.is_none() && pool.http.is_none() {
        at.error("is empty; write tcp, http or both, or remove it");
    }
    if let Some(tcp) = &pool.tcp {
        self::tcp(&at.field("tcp"), tcp);
    }
    if let Some(http) = &pool.http {
        self::http(&at.field("http"), http);
    }
}

fn tcp(at: &At, tcp: &TCPSettings) {
    value::not_negative(&at.field("maxConnections"), tcp.max_connections);
    value::duration(&at.field("connectTimeout"), tcp.connect_timeout.as_ref());
    value::duration(&at.field("maxConnectionDuration"), tcp.max_connection_duration.as_ref());
    value::duration_or_off(&at.field("idleTimeout"), tcp.idle_timeout.as_ref());
    if let Some(keepalive) = &tcp.tcp_keepalive {
        let at = at.field("tcpKeepalive");
        value::uint32(&at.field("probes"), keepalive.probes);
        value::duration(&at.field("time"), keepalive.time.as_ref());
        value::duration(&at.field("interval"), keepalive.interval.as_ref());
    }
}

fn http(at: &At, http: &HTTPSettings) {
    for (field, limit) in [
        ("http1MaxPendingRequests", http.http1_max_pending_requests),
        ("http2MaxRequests", http.http2_max_requests),
        ("maxRequestsPerConnection", http.max_requests_per_connection),
        ("maxRetries", http.max_retries),
        ("maxConcurrentStreams", http.max_concurrent_streams),
    ] {
        value::not_negative(&at.field(field), limit);
    }
    value::duration(&at.field("idleTimeout"), http.idle_timeout.as_ref());
    let upgrade = at.field("h2UpgradePolicy");
    value::enumeration(&upgrade, http.h2_upgrade_policy.as_ref(), &H2_UPGRADE_POLICIES);
    if http.use_client_protocol && http.h2_upgrade_policy.as_deref() == Some("UPGRADE") {
        upgrade.error("is UPGRADE beside useClientProtocol; keep one of them");
    }
    let Some(keepalive) = &http.http2_keep_alive else {
        return;
    };
    let at = at.field("http2KeepAlive");
    for (field, duration) in [("interval", &keepalive.interval), ("timeout", &keepalive.timeout)] {
        match duration {
            Some(_) => value::duration(&at.field(field), duration.as_ref()),
            None => at
                .field(field)
                .error("is missing; pings have an interval and a timeout"),
        }
    }
}
