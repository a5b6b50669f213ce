//! `loadBalancer`.

use super::locality::locality;
use super::one_of::at_most_one;
use super::{At, value};
use crate::config::destination_rule::{
    ConsistentHashLB, HTTPCookie, LoadBalancerSettings, SIMPLE_LB, WarmupConfiguration,
};

pub(super) fn load_balancer(at: &At, balancer: &LoadBalancerSettings, ejects: bool) {
    at_most_one(
        at,
        &[
            ("simple", balancer.simple.is_some()),
            ("consistentHash", balancer.consistent_hash.is_some()),
        ],
    );
    value::enumeration(&at.field("simple"), balancer.simple.as_ref(), &SIMPLE_LB);
    if let Some(hash) = &balancer.consistent_hash {
        consistent_hash(&at.field("consistentHash"), hash);
    }
    at_most_one(
        at,
        &[
            ("localityLbSetting", balancer.locality_lb_setting.is_some()),
            ("zoneAwareLbSetting", balancer.zone_aware_lb_setting.is_some()),
        ],
    );
    if let Some(setting) = &balancer.locality_lb_setting {
        locality(&at.field("localityLbSetting"), setting, ejects);
    }
    value::duration(&at.field("warmupDurationSecs"), balancer.warmup_duration_secs.as_ref());
    if let Some(warmup) = &balancer.warmup {
        self::warmup(&at.field("warmup"), warmup);
    }
}

fn consistent_hash(at: &At, hash: &ConsistentHashLB) {
    at_most_one(
        at,
        &[
            ("httpHeaderName", hash.http_header_name.is_some()),
            ("httpCookie", hash.http_cookie.is_some()),
            ("useSourceIp", hash.use_source_ip.is_some()),
            ("httpQueryParameterName", hash.http_query_parameter_name.is_some()),
        ],
    );
    at_most_one(
        at,
        &[
            ("ringHash", hash.ring_hash.is_some()),
            ("maglev", hash.maglev.is_some()),
        ],
    );
    if let Some(cookie) = &hash.http_cookie {
        self::cookie(&at.field("httpCookie"), cookie);
    }
    if let Some(size) = hash.minimum_ring_size.filter(|size| *size != 0) {
        let at = at.field("minimumRingSize");
        not_negative(&at, size);
        at.warn("is deprecated; write ringHash: {minimumRingSize: …}");
        if hash.ring_hash.is_some() || hash.maglev.is_some() {
            at.error("stands beside ringHash or maglev; keep one of them");
        }
    }
    if let Some(ring) = &hash.ring_hash {
        not_negative(
            &at.field("ringHash").field("minimumRingSize"),
            ring.minimum_ring_size.unwrap_or_default(),
        );
    }
    if let Some(maglev) = &hash.maglev {
        table_size(
            &at.field("maglev").field("tableSize"),
            maglev.table_size.unwrap_or_default(),
        );
    }
}

fn cookie(at: &At, cookie: &HTTPCookie) {
    if cookie.name.is_empty() {
        at.field("name").error("is missing; name the cookie");
    }
    value::parsed(&at.field("ttl"), cookie.ttl.as_ref());
    for (index, (at, attribute)) in at.each("attributes", &cookie.attributes).enumerate() {
        let mut earlier = cookie.attributes.iter().take(index);
        if attribute.name.is_empty() {
            at.field("name").error("is missing; name the attribute");
        } else if earlier.any(|earlier| earlier.name == attribute.name) {
            at.field("name")
                .error(format!("`{}` is here twice; keep one", attribute.name));
        }
    }
}

fn not_negative(at: &At, size: i64) {
    if size < 0 {
        at.error(format!("{size} is negative; write 0 or more"));
    }
}

/// Envoy's Maglev takes a prime below 5000011.
fn table_size(at: &At, size: i64) {
    if size <= 0 {
        at.error("is missing; write a prime as 65537");
    } else if size >= 5_000_011 {
        at.error(format!("{size} is too much; write a prime below 5000011"));
    } else if !is_prime(size) {
        at.error(format!("{size} is no prime; write one as 65537"));
    }
}

fn is_prime(number: i64) -> bool {
    let mut divisors = (2..).take_while(|divisor| divisor * divisor <= number);
    number > 0 && divisors.all(|divisor| number % divisor != 0)
}

fn warmup(at: &At, warmup: &WarmupConfiguration) {
    match &warmup.duration {
        Some(_) => value::duration(&at.field("duration"), warmup.duration.as_ref()),
        None => at
            .field("duration")
            .error("is missing; say how long a new endpoint warms up"),
    }
    if warmup
        .minimum_percent
        .is_some_and(|percent| !(0.0..=100.0).contains(&percent))
    {
        at.field("minimumPercent").error("is no percentage; write 0 to 100");
    }
    if warmup.aggression.is_some_and(|aggression| aggression < 1.0) {
        at.field("aggression").error("is below 1; write 1 or more");
    }
}
