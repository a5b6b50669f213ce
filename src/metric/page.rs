//! The operator's page, its rules and its dashboard, held to what there is.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::*;

const README: &str = include_str!("../../envoy/observability/README.md");
const DASHBOARD: &str = include_str!("../../envoy/observability/dashboard.json");

fn dashboard() -> Value {
    serde_json::from_str(DASHBOARD).unwrap()
}

fn panels(dashboard: &Value) -> &[Value] {
    dashboard["panels"].as_array().unwrap()
}

/// The page's queries.
fn of_page() -> Vec<&'static str> {
    let blocks = README.split("```promql\n").skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap()).collect()
}

/// Every PromQL expression of the page and the dashboard, as Prometheus would get it.
fn queries() -> Vec<String> {
    let dashboard = dashboard();
    let targets = panels(&dashboard)
        .iter()
        .flat_map(|panel| panel["targets"].as_array().unwrap());
    let dashboard = targets.map(|target| {
        let written = target["expr"].as_str().unwrap();
        written.replace("$__rate_interval", "5m").replace("$route", ".*")
    });
    of_page().into_iter().map(str::to_owned).chain(dashboard).collect()
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

/// Ten minutes of a split by weights, its aborts, and a canary that fails more often than what it is to replace.
fn what_queries_say() -> Value {
    let canary = "outbound|9080|v2|reviews";
    let of = |name: &str, labels: &str, a_minute: u32| serde_json::json!({"series": format!("{name}{{{labels}}}"), "values": format!("0+{a_minute}x10")});
    let input = [
        of(
            "switchyard_requests_total",
            r#"route="split",subset="v1",destination="reviews",instance="a""#,
            120,
        ),
        of(
            "switchyard_requests_total",
            r#"route="split",subset="v1",destination="reviews",instance="b""#,
            60,
        ),
        of(
            "switchyard_requests_total",
            r#"route="split",subset="v2",destination="reviews",instance="a""#,
            60,
        ),
        of("switchyard_requests_total", r#"route="moved",instance="a""#, 60),
        of("switchyard_aborts_injected_total", r#"route="split",instance="a""#, 120),
        of(
            "envoy_cluster_upstream_rq_xx",
            &format!(r#"envoy_cluster_name="{canary}",envoy_response_code_class="5""#),
            60,
        ),
        of(
            "envoy_cluster_upstream_rq_xx",
            &format!(r#"envoy_cluster_name="{canary}",envoy_response_code_class="2""#),
            180,
        ),
        of(
            "envoy_cluster_upstream_rq_completed",
            &format!(r#"envoy_cluster_name="{canary}""#),
            240,
        ),
    ];
    let expected = [
        vec![
            (r#"{route="split",subset="v1",destination="reviews"}"#.to_owned(), 0.75),
            (r#"{route="split",subset="v2",destination="reviews"}"#.to_owned(), 0.25),
            (r#"{route="moved"}"#.to_owned(), 1.0),
        ],
        vec![(r#"{route="split"}"#.to_owned(), 0.5)],
        vec![(format!(r#"{{envoy_cluster_name="{canary}"}}"#), 0.25)],
    ];
    let queries = of_page();
    assert_eq!(queries.len(), expected.len());
    let tests: Vec<Value> = queries
        .iter()
        .zip(expected)
        .map(|(query, samples)| {
            let samples: Vec<Value> = samples
                .iter()
                .map(|(labels, value)| serde_json::json!({"labels": labels, "value": value}))
                .collect();
            serde_json::json!({"expr": query, "eval_time": "10m", "exp_samples": samples})
        })
        .collect();
    serde_json::json!({"tests": [{"interval": "1m", "input_series": input, "promql_expr_test": tests}]})
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
    let write = |name: &str, value: &Value| {
        let path = directory.path().join(name);
        std::fs::write(&path, value.to_string()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (all, meaning) = (
        write("queries.yaml", &rules),
        write("queries.test.yaml", &what_queries_say()),
    );
    let promtool = |arguments: &[&str]| Command::new("promtool").args(arguments).current_dir(&page).output();
    for arguments in [
        &["check", "config", "prometheus.yaml"][..],
        &["check", "rules", "rules.yaml"],
        &["test", "rules", "rules.test.yaml"],
        &["check", "rules", "--lint=none", all.as_str()],
        &["test", "rules", meaning.as_str()],
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
            String::from_utf8_lossy(&[output.stdout, output.stderr].concat())
        );
    }
}
