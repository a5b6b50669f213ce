//! `localityLbSetting`.
//!
//! `ValidateLocalityLbSetting`, istio `pkg/config/validation/agent/validation.go`.

use super::At;
use crate::config::destination_rule::LocalityLoadBalancerSetting;

const TOPOLOGY: [&str; 3] = [
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
    "topology.istio.io/subzone",
];

pub(super) fn locality(at: &At, setting: &LocalityLoadBalancerSetting, ejects: bool) {
    if !setting.distribute.is_empty() && !setting.failover.is_empty() {
        return at.field("failover").error("stands beside distribute; keep one of them");
    }
    for (at, label) in at.each("failoverPriority", &setting.failover_priority) {
        if !setting.failover.is_empty() && TOPOLOGY.contains(&label.as_str()) {
            at.error(format!(
                "`{label}` stands beside failover, which goes by place already; remove one of them"
            ));
        }
    }
    distribute(at, setting);
    failover(at, setting);
    let fails_over = !setting.failover.is_empty() || !setting.failover_priority.is_empty();
    if fails_over && !ejects {
        at.warn("fails over from endpoints that are left out, and without outlierDetection none ever is; write it");
    }
}

fn distribute(at: &At, setting: &LocalityLoadBalancerSetting) {
    let mut origins = Vec::new();
    for (at, share) in at.each("distribute", &setting.distribute) {
        claim(&at.field("from"), &share.from, &mut origins);
        let to = at.field("to");
        let mut targets = Vec::new();
        for (place, weight) in &share.to {
            claim(&to.field(place), place, &mut targets);
            if !(1..=100).contains(weight) {
                to.field(place).error(format!("{weight} is no share; write 1 to 100"));
            }
        }
        let total: i64 = share.to.values().fold(0, |total, weight| total.saturating_add(*weight));
        if total != 100 {
            to.error(format!("has shares that sum up to {total}; they have to be 100"));
        }
    }
}

fn failover(at: &At, setting: &LocalityLoadBalancerSetting) {
    for (at, failover) in at.each("failover", &setting.failover) {
        if failover.from == failover.to {
            at.error("goes from a region to itself; name another");
        }
        for (field, region) in [("from", &failover.from), ("to", &failover.to)] {
            if region.contains(['/', '*']) {
                at.field(field)
                    .error(format!("`{region}` is no region; write its name alone"));
            }
        }
    }
}

/// Adds a place as `region/zone/sub-zone` to those that are taken, unless one of them has some of it.
fn claim<'s>(at: &At, place: &'s str, taken: &mut Vec<Vec<&'s str>>) {
    let parts: Vec<&str> = place.splitn(3, '/').collect();
    let named = place.strip_suffix('*').unwrap_or(place);
    if named.contains('*') {
        return at.error(format!("`{place}` has a `*` before its end"));
    }
    if parts.contains(&"") {
        return at.error(format!("`{place}` has an empty part; write region/zone/sub-zone"));
    }
    let overlaps = |other: &Vec<&str>| {
        let mut pairs = other.iter().zip(&parts);
        pairs.all(|(one, other)| one == other || *one == "*" || *other == "*")
    };
    if taken.iter().any(overlaps) {
        at.error(format!("`{place}` is part of a place that is named already"));
    }
    taken.push(parts);
}
