//! What the filter counts, by the names that Envoy and Prometheus show.
//!
//! Proxy-Wasm's metrics have no labels. They stand in the name instead, and Envoy's `stats_tags` take them out again:
//! `switchyard_requests_total.route.canary.subset.v2` becomes `switchyard_requests_total{route="canary",subset="v2"}`.
//! Their values come from the configuration alone, so clients cannot make more series.

/// One metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// As Prometheus shows it; Envoy's own statistics put `wasmcustom.` before it.
    pub name: &'static str,
    /// Whether it only grows.
    pub kind: Kind,
    /// The labels it may have; one that would be empty is left out.
    pub labels: &'static [&'static str],
}

/// How a metric moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Upwards, until Envoy starts anew.
    Counter,
    /// Up and down.
    Gauge,
}

/// The rule's name, or where it was written.
pub const ROUTE: &str = "route";
/// The subset of the destination.
pub const SUBSET: &str = "subset";
/// The host of the destination.
pub const DESTINATION: &str = "destination";
/// What the match has as `statPrefix`.
pub const STAT_PREFIX: &str = "stat_prefix";
/// The number that a configuration was given.
pub const GENERATION: &str = "generation";

const fn counter(name: &'static str, labels: &'static [&'static str]) -> Metric {
    let kind = Kind::Counter;
    Metric { name, kind, labels }
}

/// Requests that a rule took, whether or not a fault answered them; those that it redirected or answered itself have no destination.
pub const REQUESTS: Metric = counter("switchyard_requests_total", &[ROUTE, SUBSET, DESTINATION, STAT_PREFIX]);
/// Requests to a host that has rules, none of which matched: 404.
pub const UNMATCHED: Metric = counter("switchyard_unmatched_total", &[]);
/// Requests that a rule let wait.
pub const DELAYS_INJECTED: Metric = counter("switchyard_delays_injected_total", &[ROUTE]);
/// Requests that a rule's abort answered.
pub const ABORTS_INJECTED: Metric = counter("switchyard_aborts_injected_total", &[ROUTE]);
/// Requests that wait in a delay now.
pub const ACTIVE_FAULTS: Metric = Metric {
    name: "switchyard_active_faults",
    kind: Kind::Gauge,
    labels: &[],
};
/// Requests that got no fault because `maxActiveFaults` others waited.
pub const FAULTS_OVERFLOW: Metric = counter("switchyard_faults_overflow_total", &[]);
/// Copies that were sent, by the rule and the mirror.
pub const MIRRORED: Metric = counter("switchyard_mirrored_total", &[ROUTE, SUBSET, DESTINATION]);
/// Copies that Envoy did not take, or that were answered with 5xx or not at all.
pub const MIRROR_FAILURES: Metric = counter("switchyard_mirror_failures_total", &[]);
/// Copies that were not made: a body too long or without an end, too many under way, an upgrade or CONNECT.
pub const MIRRORS_SKIPPED: Metric = counter("switchyard_mirrors_skipped_total", &[]);
/// Header lines left out of copies because they are not UTF-8.
pub const MIRROR_HEADERS_SKIPPED: Metric = counter("switchyard_mirror_headers_skipped_total", &[]);
/// Configurations that were taken; one that comes back within a minute is not counted again.
pub const CONFIG_LOADS: Metric = counter("switchyard_config_loads_total", &[]);
/// Configurations that were refused; the one before stays.
pub const CONFIG_REJECTS: Metric = counter("switchyard_config_rejects_total", &[]);

/// Workers that have a configuration in use: it has got a request, and a stream of it may be under way. Only configurations with a
/// `generation` are counted, which is how `switchyard run` knows when nothing asks for what they knew any more.
pub const CONFIG_IN_USE: Metric = Metric {
    name: "switchyard_config_in_use",
    kind: Kind::Gauge,
    labels: &[GENERATION],
};

/// All of them.
pub const ALL: [Metric; 13] = [
    REQUESTS,
    UNMATCHED,
    DELAYS_INJECTED,
    ABORTS_INJECTED,
    ACTIVE_FAULTS,
    FAULTS_OVERFLOW,
    MIRRORED,
    MIRROR_FAILURES,
    MIRRORS_SKIPPED,
    MIRROR_HEADERS_SKIPPED,
    CONFIG_LOADS,
    CONFIG_REJECTS,
    CONFIG_IN_USE,
];

/// Envoy's `stats_config.stats_tags`: a tag's name, and the expression whose first group is cut out of a metric's name and whose second
/// is the tag's value. Names are read from the front in pairs, so a value that is itself the name of a label misleads nobody.
pub const STATS_TAGS: [(&str, &str); 5] = [
    (ROUTE, r"^wasmcustom\.switchyard_[a-z_]+(\.route\.([^.]+))"),
    (
        SUBSET,
        r"^wasmcustom\.switchyard_[a-z_]+(?:\.route\.[^.]+)?(\.subset\.([^.]+))",
    ),
    (
        DESTINATION,
        r"^wasmcustom\.switchyard_[a-z_]+(?:\.route\.[^.]+)?(?:\.subset\.[^.]+)?(\.destination\.([^.]+))",
    ),
    (
        STAT_PREFIX,
        r"^wasmcustom\.switchyard_[a-z_]+(?:\.route\.[^.]+)?(?:\.subset\.[^.]+)?(?:\.destination\.[^.]+)?(\.stat_prefix\.([^.]+))",
    ),
    (GENERATION, r"^wasmcustom\.switchyard_[a-z_]+(\.generation\.([^.]+))"),
];

impl Metric {
    /// The name with values for its labels, in their order. Dots in values become `_`, for a dot ends a value.
    pub fn with(&self, values: &[&str]) -> String {
        let mut name = self.name.to_owned();
        let labelled = self.labels.iter().zip(values).filter(|(_, value)| !value.is_empty());
        for (label, value) in labelled {
            name.push('.');
            name.push_str(label);
            name.push('.');
            name.push_str(&value.replace('.', "_"));
        }
        name
    }
}

#[cfg(test)]
mod page;

#[cfg(test)]
mod tests {
    use super::*;

    /// What Envoy makes of a name: `TagExtractorImpl::extractTag`, envoy `source/common/stats/tag_extractor_impl.cc`.
    fn extracted(name: &str) -> (String, Vec<(&'static str, String)>) {
        let name = format!("wasmcustom.{name}");
        let mut rest = name.clone();
        let mut tags = Vec::new();
        for (tag, expression) in STATS_TAGS {
            if let Some(found) = regex::Regex::new(expression).unwrap().captures(&name) {
                rest = rest.replace(&found[1], "");
                tags.push((tag, found[2].to_owned()));
            }
        }
        (rest, tags)
    }

    #[test]
    fn labels_come_back_as_they_were_given() {
        let name = REQUESTS.with(&["canary", "v2", "reviews"]);
        assert_eq!(
            name,
            "switchyard_requests_total.route.canary.subset.v2.destination.reviews"
        );
        let tags = [(ROUTE, "canary"), (SUBSET, "v2"), (DESTINATION, "reviews")];
        assert_eq!(
            extracted(&name),
            (
                "wasmcustom.switchyard_requests_total".to_owned(),
                tags.map(|(tag, value)| (tag, value.to_owned())).to_vec()
            )
        );
    }

    #[test]
    fn an_empty_label_is_left_out() {
        let name = REQUESTS.with(&["canary", "", "reviews"]);
        assert_eq!(name, "switchyard_requests_total.route.canary.destination.reviews");
        assert_eq!(extracted(&name).1.len(), 2);
        assert_eq!(REQUESTS.with(&["canary"]), "switchyard_requests_total.route.canary");
    }

    #[test]
    fn a_dot_in_a_value_ends_no_value() {
        let name = MIRRORED.with(&["default/a http[0].match[1]", "v1", "a.default.svc.cluster.local"]);
        assert_eq!(
            name,
            "switchyard_mirrored_total.route.default/a http[0]_match[1].subset.v1.destination.a_default_svc_cluster_local"
        );
    }

    #[test]
    fn a_value_that_is_a_label_is_a_value() {
        let (rest, tags) = extracted(&REQUESTS.with(&["subset", "destination", "stat_prefix", "route"]));
        assert_eq!(rest, "wasmcustom.switchyard_requests_total");
        assert_eq!(
            tags.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>(),
            ["subset", "destination", "stat_prefix", "route"]
        );
    }

    #[test]
    fn nobody_elses_statistics_are_touched() {
        for name in [
            "cluster.outbound|80||a.route.b.subset.c",
            "wasmcustom.other_total.route.a.subset.b",
        ] {
            for (tag, expression) in STATS_TAGS {
                assert!(!regex::Regex::new(expression).unwrap().is_match(name), "{tag}: {name}");
            }
        }
    }

    #[test]
    fn names_are_prometheus_names_and_only_counters_are_totals() {
        for metric in ALL {
            assert!(
                metric
                    .name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
            );
            assert_eq!(metric.name.ends_with("_total"), metric.kind == Kind::Counter);
        }
    }
}
