//! The operator's page, rules and dashboard, held against what Envoy really shows.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use regex::Regex;
use serde_json::Value;

use crate::support::exposition::Exposition;
use crate::support::http::get;
use crate::support::manifest::{service, subsets, virtual_service, yaml};
use crate::support::turn;
use crate::support::twin::Twins;
use crate::support::upstream::{Behaviour, Upstream};

const README: &str = include_str!("../../../envoy/observability/README.md");
const RULES: &str = include_str!("../../../envoy/observability/rules.yaml");
const DASHBOARD: &str = include_str!("../../../envoy/observability/dashboard.json");

/// Every PromQL expression that we ship, and what is said of labels beside them.
fn queries() -> Vec<String> {
    let page = README
        .split("```promql\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap().to_owned());
    let rules = yaml(RULES)["groups"][0]["rules"].as_array().unwrap().clone();
    let rules = rules.iter().map(|rule| {
        let labels = Regex::new(r"\$labels\.([a-z_]+)").unwrap();
        let said = rule["annotations"].to_string();
        let labels: Vec<&str> = labels
            .captures_iter(&said)
            .map(|found| found.extract::<1>().1[0])
            .collect();
        format!("{} by ({})", rule["expr"].as_str().unwrap(), labels.join(", "))
    });
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let targets = dashboard["panels"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|panel| panel["targets"].as_array().unwrap());
    let shown = targets.map(|target| {
        let legend = target["legendFormat"].as_str().unwrap();
        let labels = Regex::new(r"\{\{([a-z_]+)\}\}").unwrap();
        let labels: Vec<&str> = labels
            .captures_iter(legend)
            .map(|found| found.extract::<1>().1[0])
            .collect();
        format!("{} by ({})", target["expr"].as_str().unwrap(), labels.join(", "))
    });
    let variables = dashboard["templating"]["list"].as_array().unwrap().iter();
    let variables = variables.filter_map(|variable| {
        let inner = variable["query"]["query"]
            .as_str()?
            .strip_prefix("label_values(")?
            .strip_suffix(')')?;
        let (metric, label) = inner.split_once(", ")?;
        Some(format!("{metric} by ({label})"))
    });
    page.chain(rules)
        .chain(shown.collect::<Vec<_>>())
        .chain(variables.collect::<Vec<_>>())
        .collect()
}

/// What a query asks for and the exposition does not have.
fn missing(query: &str, exposition: &Exposition) -> Vec<String> {
    let mut missing = Vec::new();
    let selector = Regex::new(r"((?:switchyard|envoy)_[a-z0-9_]+)(?:\{([^}]*)\})?").unwrap();
    let label = Regex::new("([a-z_]+) *(?:=~|!~|!=|=)").unwrap();
    let grouping = Regex::new(r"(?:by|on|group_left) \(([^)]*)\)").unwrap();
    let bare = grouping.replace_all(query, "");
    // What Prometheus adds to every series itself.
    let mut known = BTreeSet::from(["instance", "job"]);
    for found in selector.captures_iter(&bare) {
        let Some(labels) = exposition.labels(&found[1]) else {
            missing.push(found[1].to_owned());
            continue;
        };
        let asked = found.get(2).map_or("", |selected| selected.as_str());
        let asked = label.captures_iter(asked).map(|found| found.extract::<1>().1[0]);
        missing.extend(
            asked
                .filter(|name| !labels.contains(name))
                .map(|name| format!("{}{{{name}}}", &found[1])),
        );
        known.extend(labels);
    }
    let groups = grouping
        .captures_iter(query)
        .flat_map(|found| found.extract::<1>().1[0].split(", "));
    missing.extend(
        groups
            .filter(|name| !name.is_empty() && !known.contains(name))
            .map(|name| format!("by ({name})")),
    );
    missing
}

/// An Envoy after a run in which everything happened that the page tells of.
async fn told() -> Twins {
    let v1 = Upstream::start(Behaviour::default()).await;
    let fault =
        "delay: {percentage: {value: 100}, fixedDelay: 0.01s}, abort: {percentage: {value: 50}, httpStatus: 500}";
    let rule = format!(
        "{{name: all, fault: {{{fault}}}, mirror: {{host: web, subset: v2}}, route: [{{destination: {{host: web, subset: v1}}}}]}}"
    );
    let manifests = [
        service("web", 8080, &[("v1", v1.address), ("v2", v1.address)]),
        subsets("web", &["v1", "v2"]) + "  trafficPolicy: {outlierDetection: {consecutive5xxErrors: 5}}\n",
        virtual_service("web", &[&rule]),
    ];
    let twins = Twins::start(&manifests, |_| ()).await;
    for _ in 0..40 {
        get("web:8080", "/").send(twins.ours).await;
    }
    v1.receives(2).await;
    twins
}

#[tokio::test]
async fn every_query_finds_its_metrics_and_its_labels() {
    let _turn = turn::alongside().await;
    let twins = told().await;
    let begin = Instant::now();
    let (text, exposition) = loop {
        let text = twins.envoy.admin.get("/stats/prometheus").await.text().to_owned();
        let exposition = Exposition::parse(&text);
        // Envoy gathers histograms from its workers every 5 s.
        if exposition.labels("envoy_cluster_upstream_rq_time_bucket").is_some() {
            break (text, exposition);
        }
        assert!(begin.elapsed() < Duration::from_secs(15), "there are no histograms");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let queries = queries();
    assert!(queries.len() > 20, "{queries:#?}");
    let missing: Vec<(&String, Vec<String>)> = queries
        .iter()
        .map(|query| (query, missing(query, &exposition)))
        .collect();
    let missing: Vec<_> = missing.iter().filter(|(_, missing)| !missing.is_empty()).collect();
    assert!(missing.is_empty(), "{missing:#?}");
    assert_promtool_passes(&text);
}

/// `promtool check metrics` says what is no exposition at all (1), and what it would write otherwise (3). Envoy has no help texts, and of
/// its own names we say nothing.
fn assert_promtool_passes(exposition: &str) {
    let promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut promtool) = promtool else {
        // Past libtest's capture: whoever runs the tests is to know.
        let said = b"skipped: promtool is missing (Debian: apt-get install prometheus)\n";
        std::io::stderr().write_all(said).unwrap();
        return;
    };
    promtool.stdin.take().unwrap().write_all(exposition.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(matches!(output.status.code(), Some(0 | 3)), "{said}");
    let of_ours: Vec<&str> = said
        .lines()
        .filter(|line| line.starts_with("switchyard_") && !line.ends_with("no help text"))
        .collect();
    assert!(of_ours.is_empty(), "{of_ours:#?}");
}

#[tokio::test]
async fn a_configuration_is_one_line_of_the_log_whoever_takes_it() {
    let _turn = turn::alongside().await;
    let twins = told().await;
    let said = twins.envoy.process.stderr();
    let lines: Vec<&str> = said.lines().filter(|line| line.contains("wasm log")).collect();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(
        lines[0].ends_with("switchyard 0.1.0: 1 routes for 1 hosts"),
        "{}",
        lines[0]
    );
}
