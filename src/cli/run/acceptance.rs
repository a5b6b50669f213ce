//! Whether Envoy has taken what was written. Files have no acknowledgement: its own counters are asked.

use super::admin::Stats;
use crate::envoy::Kind;

/// What is asked of `/stats`: the version that is live, by subscription.
pub(super) const VERSIONS: &str = "type=TextReadouts&filter=version_text$";
/// What is asked of `/stats`: the updates that were refused, and resources that wait for something.
pub(super) const REFUSALS: &str =
    "filter=(update_rejected%7Cupdate_failure%7Cwarming_clusters%7Ctotal_listeners_warming)$";

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) kind: Kind,
    /// The resource in it; empty for a file that holds all of a kind.
    pub(super) name: String,
    pub(super) version: String,
}

/// How far Envoy is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Everything is live.
    Live,
    /// These subscriptions are not, as yet.
    Pending(Vec<String>),
    /// These subscriptions refused what was written.
    Refused(Vec<String>),
}

/// Compares what Envoy shows with what was written. A file that nothing in Envoy subscribes to is no matter of its own: whatever refers to
/// it is. `before` is what [`REFUSALS`] showed before the files were written.
pub(super) fn verdict(written: &[Written], versions: &Stats, refusals: &Stats, before: &Stats) -> Verdict {
    let mut refused = Vec::new();
    let mut pending = Vec::new();
    for file in written {
        for (subscription, version) in subscriptions(file, versions) {
            if version == &file.version {
                continue;
            }
            let more = ["update_rejected", "update_failure"].iter().any(|counter| {
                let name = format!("{subscription}{counter}");
                number(refusals, &name) > number(before, &name)
            });
            let which = if more { &mut refused } else { &mut pending };
            which.push(subscription.trim_end_matches('.').to_owned());
        }
    }
    match (refused.is_empty(), pending.is_empty()) {
        (false, _) => Verdict::Refused(refused),
        (true, false) => Verdict::Pending(pending),
        (true, true) => Verdict::Live,
    }
}

/// Whether clusters or listeners wait for names, endpoints, routes or the filter before they serve.
pub(super) fn is_warming(stats: &Stats) -> bool {
    [
        "cluster_manager.warming_clusters",
        "listener_manager.total_listeners_warming",
    ]
    .iter()
    .any(|name| number(stats, name) > 0)
}

fn number(stats: &Stats, name: &str) -> u64 {
    stats.get(name).and_then(|value| value.parse().ok()).unwrap_or_default()
}

/// Envoy's subscriptions to a file: the beginning of their statistics' names, and the version that is live.
fn subscriptions<'s>(file: &Written, versions: &'s Stats) -> impl Iterator<Item = (&'s str, &'s String)> {
    let name = file.name.replace("://", "_").replace(":/", "_").replace(':', "_");
    let (head, tail) = match file.kind {
        Kind::Clusters => ("cluster_manager.cds.", String::new()),
        Kind::Listeners => ("listener_manager.lds.", String::new()),
        Kind::Extensions => ("extension_config_discovery.http_filter.", format!("{name}.")),
        // Our clusters' names end with a semicolon in statistics.
        Kind::Endpoints => ("cluster.", format!("{name};.")),
        // Each connection manager has its own statistics.
        Kind::Routes => ("http.", format!(".rds.{name}.")),
    };
    let is_routes = file.kind == Kind::Routes;
    let of_file = move |subscription: &str| {
        let rest = subscription.strip_prefix(head);
        rest.is_some_and(|rest| rest == tail || is_routes && rest.ends_with(&tail))
    };
    versions
        .iter()
        .filter_map(|(name, version)| Some((name.strip_suffix("version_text")?, version)))
        .filter(move |(subscription, _)| of_file(subscription))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(kind: Kind, name: &str, version: &str) -> Written {
        Written {
            kind,
            name: name.to_owned(),
            version: version.to_owned(),
        }
    }

    fn stats(entries: &[(&str, &str)]) -> Stats {
        entries
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect()
    }

    #[test]
    fn a_version_that_shows_is_live() {
        let files = [
            written(Kind::Clusters, "", "4"),
            written(Kind::Endpoints, "outbound|80||a", "3"),
            written(Kind::Routes, "127.0.0.1:80", "5"),
            written(Kind::Extensions, "switchyard", "6"),
        ];
        let mut shown = stats(&[
            ("cluster_manager.cds.version_text", "4"),
            ("cluster.outbound|80||a;.version_text", "3"),
            ("http.a.rds.127.0.0.1_80.version_text", "5"),
            ("http.b.rds.127.0.0.1_80.version_text", "5"),
            ("extension_config_discovery.http_filter.switchyard.version_text", "6"),
        ]);
        let none = Stats::new();
        assert_eq!(verdict(&files, &shown, &none, &none), Verdict::Live);
        shown.insert("http.b.rds.127.0.0.1_80.version_text".to_owned(), "4".to_owned());
        assert_eq!(
            verdict(&files, &shown, &none, &none),
            Verdict::Pending(vec!["http.b.rds.127.0.0.1_80".to_owned()])
        );
    }

    #[test]
    fn a_file_without_a_subscription_is_not_waited_for() {
        let shown = stats(&[("http.a.rds.b.version_text", "1")]);
        let file = [written(Kind::Routes, "c", "2"), written(Kind::Endpoints, "d", "2")];
        assert_eq!(verdict(&file, &shown, &Stats::new(), &Stats::new()), Verdict::Live);
    }

    #[test]
    fn a_counter_that_rose_is_a_refusal() {
        let file = [written(Kind::Extensions, "switchyard", "2")];
        let shown = stats(&[("extension_config_discovery.http_filter.switchyard.version_text", "1")]);
        let refusals = |count: &str| {
            stats(&[(
                "extension_config_discovery.http_filter.switchyard.update_rejected",
                count,
            )])
        };
        let name = vec!["extension_config_discovery.http_filter.switchyard".to_owned()];
        let at = |now, before| verdict(&file, &shown, &refusals(now), &refusals(before));
        assert_eq!(
            (at("3", "3"), at("4", "3")),
            (Verdict::Pending(name.clone()), Verdict::Refused(name))
        );
    }

    #[test]
    fn what_is_warming_does_not_serve() {
        assert!(is_warming(&stats(&[("cluster_manager.warming_clusters", "1")])));
        assert!(!is_warming(&stats(&[(
            "listener_manager.total_listeners_warming",
            "0"
        )])));
    }
}
