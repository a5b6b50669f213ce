//! The operator's page, its rules and its dashboard, held to what there is.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::*;

const README: &str = include_str!("../../envoy/observability/README.md");
const RULES: &str = include_str!("../../envoy/observability/rules.yaml");
const DASHBOARD: &str = include_str!("../../envoy/observability/dashboard.json");

/// What we ask of Envoy's own metrics; the test on a real Envoy finds each of them in its exposition.
const OF_ENVOY: [&str; 7] = [
    "envoy_cluster_outlier_detection_ejections_active",
    "envoy_cluster_upstream_rq_completed",
    "envoy_cluster_upstream_rq_pending_overflow",
    "envoy_cluster_upstream_rq_time_bucket",
    "envoy_cluster_upstream_rq_xx",
    "envoy_wasm_envoy_wasm_runtime_v8_active",
    "envoy_wasm_switchyard_vm_reload_success",
];

fn dashboard() -> Value {
    serde_json::from_str(DASHBOARD).unwrap()
}

fn panels(dashboard: &Value) -> &[Value] {
    dashboard["panels"].as_array().unwrap()
}

/// Every PromQL expression of the page and the dashboard, as Prometheus would get it.
fn queries() -> Vec<String> {
    let page = README.split("```promql\n").skip(1);
    let page = page.map(|rest| rest.split("```").next().unwrap().to_owned());
    let dashboard = dashboard();
    let targets = panels(&dashboard)
        .iter()
        .flat_map(|panel| panel["targets"].as_array().unwrap());
    let dashboard = targets.map(|target| {
        let written = target["expr"].as_str().unwrap();
        written.replace("$__rate_interval", "5m").replace("$route", ".*")
    });
    page.chain(dashboard).collect()
}

#[test]
fn the_page_lists_every_metric_with_its_labels() {
    let table = README.split("## Queries").next().unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `switchyard_"));
    let listed: Vec<String> = rows.map(|row| row.replace('`', "")).collect();
    let row = |metric: &Metric| {
        let gauge = if metric.kind == Kind::Gauge { "gauge: " } else { "" };
        format!("| {} | {} | {gauge}", metric.name, metric.labels.join(", ")).replace("|  |", "| |")
    };
    assert_eq!(listed.len(), ALL.len());
    for (listed, metric) in listed.iter().zip(&ALL) {
        assert!(listed.starts_with(&row(metric)), "{listed}");
        assert_eq!(listed.contains("| gauge: "), metric.kind == Kind::Gauge, "{listed}");
    }
}

#[test]
fn queries_ask_for_metrics_that_exist() {
    let known: BTreeSet<&str> = ALL.iter().map(|metric| metric.name).chain(OF_ENVOY).collect();
    let name = regex::Regex::new("(?:switchyard|envoy)_[a-z0-9_]+").unwrap();
    let queries = queries().join("\n") + RULES;
    let labels = ["envoy_cluster_name", "envoy_response_code_class"];
    let asked: BTreeSet<&str> = name
        .find_iter(&queries)
        .map(|found| found.as_str())
        .filter(|name| !labels.contains(name))
        .collect();
    assert!(asked.is_subset(&known), "{:?}", asked.difference(&known));
    let unused: Vec<&&str> = OF_ENVOY.iter().filter(|name| !asked.contains(**name)).collect();
    assert_eq!(unused, Vec::<&&str>::new());
}

#[test]
fn the_dashboard_is_one_that_grafana_takes() {
    let dashboard = dashboard();
    assert!(dashboard["schemaVersion"].as_u64().unwrap() >= 36);
    let variables: Vec<&str> = dashboard["templating"]["list"]
        .as_array()
        .unwrap()
        .iter()
        .map(|variable| variable["name"].as_str().unwrap())
        .collect();
    assert_eq!(variables, ["datasource", "route"]);
    let mut ids = BTreeSet::new();
    let mut taken = BTreeSet::new();
    for panel in panels(&dashboard) {
        assert!(ids.insert(panel["id"].as_u64().unwrap()));
        assert_eq!(panel["datasource"]["uid"], "${datasource}");
        assert!(!panel["title"].as_str().unwrap().is_empty());
        let at = |side: &str| panel["gridPos"][side].as_u64().unwrap();
        assert!(at("x") + at("w") <= 24);
        for x in at("x")..at("x") + at("w") {
            for y in at("y")..at("y") + at("h") {
                assert!(taken.insert((x, y)), "{} lies on another", panel["title"]);
            }
        }
        let targets = panel["targets"].as_array().unwrap();
        let references: BTreeSet<&str> = targets.iter().map(|target| target["refId"].as_str().unwrap()).collect();
        assert_eq!(references.len(), targets.len());
    }
}

#[test]
fn promtool_passes_rules_and_queries() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("envoy/observability");
    let directory = tempfile::tempdir().unwrap();
    let rules: Vec<Value> = queries()
        .iter()
        .map(|query| serde_json::json!({"record": "query", "expr": query}))
        .collect();
    let rules = serde_json::json!({"groups": [{"name": "queries", "rules": rules}]});
    let written = directory.path().join("queries.yaml");
    std::fs::write(&written, rules.to_string()).unwrap();
    let promtool = |arguments: &[&str]| Command::new("promtool").args(arguments).current_dir(&page).output();
    for arguments in [
        &["check", "config", "prometheus.yaml"][..],
        &["check", "rules", "rules.yaml"],
        &["test", "rules", "rules.test.yaml"],
        &["check", "rules", "--lint=none", written.to_str().unwrap()],
    ] {
        let Ok(output) = promtool(arguments) else {
            // Past libtest's capture: whoever runs the tests is to know.
            writeln!(
                std::io::stderr(),
                "skipped: promtool is missing (Debian: apt-get install prometheus)"
            )
            .unwrap();
            return;
        };
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
