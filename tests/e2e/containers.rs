//! What is shipped in containers, beside the scenarios: `make compose-test` runs these where an engine answers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::container::{Container, docker};
use crate::support::http::get;
use crate::support::scenario::Scenario;
use crate::support::switchyard::wasm;

/// Needs no engine.
#[test]
fn every_caller_of_compose_has_listeners_by_the_rules_it_starts_with() {
    let compose = fs::read_to_string(shipped("envoy/compose.yaml")).unwrap();
    let filenames = compose
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- --filename=/etc/switchyard/"));
    let files = filenames.map(|file| match file.strip_prefix("scenarios/") {
        Some(file) => shipped("testdata/scenarios").join(file),
        None => shipped("envoy/compose").join(file),
    });
    let mut bootstrap = Command::new(env!("CARGO_BIN_EXE_switchyard"));
    bootstrap.args(["bootstrap", "--wasm", "switchyard.wasm", "--callers"]);
    bootstrap.arg(shipped("envoy/compose/callers.yaml"));
    for file in files {
        bootstrap.arg("--filename").arg(file);
    }
    let output = bootstrap.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let bootstrap: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(bootstrap["static_resources"]["listeners"].as_array().unwrap().len(), 7);
}

fn shipped(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
#[ignore = "make compose-test runs it"]
fn ports_are_published_on_the_loopback_alone() {
    let project = format!(
        "label=com.docker.compose.project={}",
        std::env::var("COMPOSE_PROJECT_NAME").unwrap()
    );
    let ports = docker(&["ps", "--filter", &project, "--format", "{{.Ports}}"]);
    let published: Vec<&str> = ports
        .split([',', '\n'])
        .map(str::trim)
        .filter(|port| port.contains("->"))
        .collect();
    assert!(published.len() >= 6, "{published:?}");
    for port in published {
        assert!(port.starts_with("127.0.0.1:"), "{port}");
    }
}

#[tokio::test]
#[ignore = "make compose-test runs it"]
async fn prometheus_knows_the_routes_and_the_alerts() {
    let prometheus = Container::of("prometheus").published(9090);
    let shop = Scenario::start("bookinfo", &["virtual-service-reviews-v3"]).await;
    let page = get("shop", "/productpage").send(shop.service("productpage-v1")).await;
    assert_eq!(page.status, 200);
    let query = "/api/v1/query?query=switchyard_requests_total%7Bsubset%3D%22v3%22%7D";
    let begin = Instant::now();
    let series = loop {
        let answer = get("prometheus", query).send(prometheus).await.json();
        let series = answer["data"]["result"].as_array().unwrap().clone();
        if !series.is_empty() {
            break series;
        }
        assert!(begin.elapsed() < Duration::from_secs(30), "{answer}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert_eq!(series[0]["metric"]["route"], "default/reviews http[0]");
    assert_eq!(series[0]["metric"]["destination"], "reviews_default_svc_cluster_local");
    let alerts = get("prometheus", "/api/v1/rules").send(prometheus).await;
    assert!(
        alerts.text().contains("SwitchyardConfigurationRefused"),
        "{}",
        alerts.text()
    );
}

#[test]
#[ignore = "make compose-test runs it"]
fn the_filters_image_is_one_layer_with_one_file() {
    let file = shipped("envoy/istio/Dockerfile");
    let image = docker(&[
        "build",
        "--quiet",
        "--file",
        file.to_str().unwrap(),
        env!("CARGO_MANIFEST_DIR"),
    ]);
    let directory = tempfile::tempdir().unwrap();
    let saved = directory.path().join("image.tar");
    docker(&["save", "--output", saved.to_str().unwrap(), image.trim()]);
    docker(&["rmi", image.trim()]);
    let manifest: Value = serde_json::from_slice(&tar("-xOf", &saved, "manifest.json")).unwrap();
    let [layer] = manifest[0]["Layers"].as_array().unwrap().as_slice() else {
        panic!("Istio takes one layer: {manifest}")
    };
    let path = directory.path().join("layer.tar");
    fs::write(&path, tar("-xOf", &saved, layer.as_str().unwrap())).unwrap();
    assert_eq!(String::from_utf8(tar("-tf", &path, "")).unwrap(), "plugin.wasm\n");
    assert!(tar("-xOf", &path, "plugin.wasm") == fs::read(wasm()).unwrap());
}

/// What `tar` writes about an archive, or about one file in it.
fn tar(option: &str, archive: &Path, file: &str) -> Vec<u8> {
    let file = (!file.is_empty()).then_some(file);
    let output = Command::new("tar")
        .arg(option)
        .arg(archive)
        .args(file)
        .output()
        .unwrap();
    assert!(output.status.success(), "tar {option} {}", archive.display());
    output.stdout
}
