//! Weights and priorities by place.
//!
//! `ApplyLocalityLoadBalancer`, istio `pilot/pkg/networking/core/loadbalancer/loadbalancer.go`.

use std::collections::{BTreeMap, BTreeSet};

use super::endpoint::{Group, Nearness, weight};
use crate::config::destination_rule::{LocalityDistribute, LocalityFailover};
use crate::registry::{Endpoint, Locality};

/// Whether shares hold between places, or one takes over for another: Envoy then weighs places before endpoints.
pub(super) fn is_weighted(near: &Nearness) -> bool {
    near.setting.is_some_and(|setting| {
        !setting.distribute.is_empty()
            || near.fails_over && !(setting.failover.is_empty() && setting.failover_priority.is_empty())
    })
}

/// Groups with the weights that the rule gives their places, or with priorities by how near they are.
pub(super) fn prioritise<'a>(mut groups: Vec<Group<'a>>, near: Nearness) -> Vec<Group<'a>> {
    let setting = near.setting;
    if let Some(distribute) = setting
        .map(|setting| &setting.distribute)
        .filter(|list| !list.is_empty())
    {
        weigh(&mut groups, near.locality, distribute);
        return groups;
    }
    if !near.fails_over {
        return groups;
    }
    let labels = setting
        .map(|setting| setting.failover_priority.as_slice())
        .unwrap_or_default();
    let failover = setting.map(|setting| setting.failover.as_slice()).unwrap_or_default();
    if !labels.is_empty() && !near.labels.is_empty() {
        groups = groups
            .iter()
            .flat_map(|group| by_labels(group, labels, near.labels))
            .collect();
        without_gaps(&mut groups);
    }
    if labels.is_empty() || !failover.is_empty() {
        for group in &mut groups {
            // Five degrees of distance within each degree of likeness.
            group.priority = group.priority * 5 + distance(near.locality, group.locality, failover);
        }
        without_gaps(&mut groups);
    }
    groups
}

/// The first entry for the caller's place gives each place its share; a share for several places is divided among them, and a place without
/// one gets nothing.
fn weigh(groups: &mut [Group], own: &Locality, distribute: &[LocalityDistribute]) {
    let Some(entry) = distribute.iter().find(|entry| matches(own, &entry.from)) else {
        return;
    };
    let mut open: BTreeSet<usize> = (0..groups.len()).collect();
    for (place, share) in &entry.to {
        let share = u64::try_from(*share).unwrap_or_default();
        let is_there = |(index, group): &(usize, &mut Group)| open.contains(index) && matches(group.locality, place);
        let mut there: Vec<(usize, &mut Group)> = groups.iter_mut().enumerate().filter(is_there).collect();
        let total: u64 = there.iter().map(|(_, group)| u64::from(group.weight)).sum();
        for (_, group) in &mut there {
            let part = (u64::from(group.weight) * share).div_ceil(total.max(1));
            group.weight = u32::try_from(part).unwrap_or(u32::MAX);
        }
        let indices: Vec<usize> = there.iter().map(|(index, _)| *index).collect();
        indices.iter().for_each(|index| {
            open.remove(index);
        });
    }
    for (index, group) in groups.iter_mut().enumerate() {
        if open.contains(&index) {
            group.endpoints.clear();
        }
    }
}

/// Whether a place lies in `region/zone/sub-zone`, of which a part may be `*` or missing.
fn matches(place: &Locality, pattern: &str) -> bool {
    let pattern = Locality::parse(pattern);
    let fits = |wanted: &str, part: &str| wanted == "*" || wanted.is_empty() || wanted == part;
    (pattern.region == "*" || pattern.region == place.region)
        && fits(&pattern.zone, &place.zone)
        && fits(&pattern.sub_zone, &place.sub_zone)
}

/// 0 for the same sub-zone to 3 for another region, and 4 for a region that the caller's does not fail over to.
fn distance(own: &Locality, other: &Locality, failover: &[LocalityFailover]) -> u32 {
    if own.region != other.region {
        let rule = failover.iter().find(|rule| rule.from == own.region);
        return if rule.is_some_and(|rule| rule.to != other.region) {
            4
        } else {
            3
        };
    }
    match (own.zone == other.zone, own.sub_zone == other.sub_zone) {
        (true, true) => 0,
        (true, false) => 1,
        (false, _) => 2,
    }
}

/// A place's endpoints apart by how many of the labels, in order, they share with the caller; `label=value` stands for a caller's label.
fn by_labels<'a>(group: &Group<'a>, labels: &[String], own: &BTreeMap<String, String>) -> Vec<Group<'a>> {
    let differs = |endpoint: &Endpoint, label: &String| {
        let (name, wanted) = label
            .split_once('=')
            .unwrap_or_else(|| (label, own.get(label).map(String::as_str).unwrap_or_default()));
        endpoint.labels.get(name).map(String::as_str).unwrap_or_default() != wanted
    };
    let mut parts: BTreeMap<usize, Vec<&Endpoint>> = BTreeMap::new();
    for endpoint in &group.endpoints {
        let shared = labels.iter().position(|label| differs(endpoint, label));
        let priority = shared.map_or(0, |shared| labels.len() - shared);
        parts.entry(priority).or_default().push(endpoint);
    }
    let part = |(priority, endpoints): (usize, Vec<&'a Endpoint>)| Group {
        locality: group.locality,
        priority: u32::try_from(priority).unwrap_or(u32::MAX),
        weight: weight(&endpoints),
        endpoints,
    };
    parts.into_iter().map(part).collect()
}

/// Envoy wants priorities from 0 on with none missing.
fn without_gaps(groups: &mut [Group]) {
    let used: BTreeSet<u32> = groups.iter().map(|group| group.priority).collect();
    let ranks: BTreeMap<u32, u32> = used.into_iter().zip(0..).collect();
    for group in groups {
        group.priority = ranks.get(&group.priority).copied().unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::destination_rule::LocalityLoadBalancerSetting;

    const PLACES: [&str; 4] = ["eu/a/1", "eu/a/2", "eu/b/1", "us/a/1"];

    fn prioritised(
        own: &str,
        fails_over: bool,
        setting: Option<LocalityLoadBalancerSetting>,
    ) -> Vec<(u32, u32, usize)> {
        let endpoints: Vec<Endpoint> = PLACES
            .iter()
            .map(|place| Endpoint {
                locality: Locality::parse(place),
                weight: 2,
                ..Endpoint::default()
            })
            .collect();
        let mut groups = Vec::new();
        for endpoint in &endpoints {
            groups.push(Group {
                locality: &endpoint.locality,
                priority: 0,
                weight: 2,
                endpoints: vec![endpoint],
            });
        }
        let locality = Locality::parse(own);
        let labels = BTreeMap::from([("network".to_owned(), "n".to_owned())]);
        let near = Nearness {
            locality: &locality,
            labels: &labels,
            setting: setting.as_ref(),
            fails_over,
        };
        let groups = prioritise(groups, near);
        groups
            .iter()
            .map(|group| (group.priority, group.weight, group.endpoints.len()))
            .collect()
    }

    fn priorities(own: &str, setting: LocalityLoadBalancerSetting) -> Vec<u32> {
        let groups = prioritised(own, true, Some(setting));
        groups.into_iter().map(|(priority, ..)| priority).collect()
    }

    #[test]
    fn what_is_nearer_comes_first_where_endpoints_are_left_out() {
        assert_eq!(
            priorities("eu/a/1", LocalityLoadBalancerSetting::default()),
            [0, 1, 2, 3]
        );
        assert_eq!(priorities("", LocalityLoadBalancerSetting::default()), [0, 0, 0, 0]);
        assert!(
            prioritised("eu/a/1", false, None)
                .iter()
                .all(|(priority, ..)| *priority == 0)
        );
    }

    #[test]
    fn a_region_that_is_not_failed_over_to_comes_last() {
        let failover = vec![LocalityFailover {
            from: "asia".to_owned(),
            to: "us".to_owned(),
        }];
        let setting = LocalityLoadBalancerSetting {
            failover,
            ..Default::default()
        };
        assert_eq!(priorities("asia/a/1", setting), [1, 1, 1, 0]);
    }

    #[test]
    fn shares_are_divided_and_places_without_one_get_nothing() {
        let to = BTreeMap::from([("eu/a/*".to_owned(), 80), ("us".to_owned(), 20)]);
        let distribute = vec![LocalityDistribute {
            from: "eu/*".to_owned(),
            to,
        }];
        let setting = LocalityLoadBalancerSetting {
            distribute,
            ..Default::default()
        };
        assert_eq!(
            prioritised("eu/a/1", false, Some(setting)),
            [(0, 40, 1), (0, 40, 1), (0, 2, 0), (0, 20, 1)]
        );
    }

    #[test]
    fn endpoints_with_more_of_the_callers_labels_come_first() {
        let endpoint = |network: &str, version: &str| Endpoint {
            labels: BTreeMap::from([
                ("network".to_owned(), network.to_owned()),
                ("version".to_owned(), version.to_owned()),
            ]),
            ..Endpoint::default()
        };
        let endpoints = [endpoint("n", "v1"), endpoint("n", "v2"), endpoint("m", "v1")];
        let locality = Locality::default();
        let labels = BTreeMap::from([("network".to_owned(), "n".to_owned())]);
        let setting = LocalityLoadBalancerSetting {
            failover_priority: vec!["network".to_owned(), "version=v1".to_owned()],
            ..Default::default()
        };
        let near = Nearness {
            locality: &locality,
            labels: &labels,
            setting: Some(&setting),
            fails_over: true,
        };
        let group = Group {
            locality: &locality,
            priority: 0,
            weight: 0,
            endpoints: endpoints.iter().collect(),
        };
        let priorities: Vec<u32> = prioritise(vec![group], near)
            .iter()
            .map(|group| group.priority)
            .collect();
        assert_eq!(priorities, [0, 1, 2]);
    }
}
