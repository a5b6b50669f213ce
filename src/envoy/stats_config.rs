//! `StatsConfig`: which parts of a statistic's name Prometheus shows as labels.

use serde_json::{Value, json};

use crate::metric;

/// Clusters' names, whole: Envoy's own expression would end them at the first dot. [`alt_stat_name`](crate::action::alt_stat_name) says
/// where they end.
const CLUSTER_NAME: (&str, &str) = ("envoy.cluster_name", r"^cluster\.((.+?);\.)");

/// Of Envoy's own labels those of the statistics that a listener, its routes and clusters have.
const OWN: [&str; 6] = [
    "envoy.http_conn_manager_prefix",
    "envoy.listener_address",
    "envoy.rds_route_config",
    "envoy.response_code",
    "envoy.response_code_class",
    "envoy.worker_id",
];

/// The message.
///
/// Envoy has no second label of a name that it has itself, so all of its own are off and those wanted are named.
pub fn stats_config() -> Value {
    let ours = [CLUSTER_NAME].into_iter().chain(metric::STATS_TAGS);
    let ours = ours.map(|(name, regex)| json!({"tag_name": name, "regex": regex}));
    let own = OWN.map(|name| json!({"tag_name": name}));
    json!({
        "use_all_default_tags": false,
        "stats_tags": own.into_iter().chain(ours).collect::<Vec<Value>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::alt_stat_name;

    #[test]
    fn a_cluster_keeps_its_whole_name() {
        let name = "outbound|9080|v1|reviews.default.svc.cluster.local";
        let statistic = format!("cluster.{}.circuit_breakers.default.cx_open", alt_stat_name(name));
        let found = regex::Regex::new(CLUSTER_NAME.1).unwrap();
        let found = found.captures(&statistic).unwrap();
        assert_eq!(&found[2], name);
        assert_eq!(
            statistic.replace(&found[1], ""),
            "cluster.circuit_breakers.default.cx_open"
        );
    }
}
