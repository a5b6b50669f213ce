//! `ValidateDestinationRule`.

use super::export_to::{Exported, export_to};
use super::traffic_policy::traffic_policy;
use super::{At, name};
use crate::config::destination_rule::{DestinationRule, Subset, WorkloadSelector};

pub(super) fn validate(at: &At, spec: &DestinationRule) {
    name::wildcard_host(&at.field("host"), &spec.host);
    if let Some(policy) = &spec.traffic_policy {
        traffic_policy(&at.field("trafficPolicy"), policy);
    }
    for (index, (at, subset)) in at.each("subsets", &spec.subsets).enumerate() {
        let is_again = |earlier: &Subset| earlier.name == subset.name;
        if spec.subsets.iter().take(index).any(is_again) {
            at.field("name")
                .error(format!("`{}` is here twice; keep one", subset.name));
        }
        self::subset(&at, subset);
    }
    let exported = if spec.workload_selector.is_some() {
        Exported::OwnWorkloads
    } else {
        Exported::Rules
    };
    export_to(at, &spec.export_to, exported);
    if let Some(selector) = &spec.workload_selector {
        workload_selector(&at.field("workloadSelector"), selector);
    }
}

fn subset(at: &At, subset: &Subset) {
    if subset.name.is_empty() {
        at.field("name").error("is missing; routes name subsets");
    } else if !name::is_label(&subset.name) {
        at.field("name").error(format!(
            "`{}` is no subset's name: letters, digits and dashes",
            subset.name
        ));
    }
    name::labels(&at.field("labels"), &subset.labels);
    if let Some(policy) = &subset.traffic_policy {
        traffic_policy(&at.field("trafficPolicy"), policy);
    }
}

fn workload_selector(at: &At, selector: &WorkloadSelector) {
    let at = at.field("matchLabels");
    if selector.match_labels.is_empty() {
        at.warn("is missing; the rule holds for all workloads");
    }
    super::service_entry::selector_labels(&at, &selector.match_labels);
}
