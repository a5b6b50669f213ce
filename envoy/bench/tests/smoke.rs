//! Every part of `make bench` still measures something, on a real Envoy.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::Path;
use std::process::Command;

use serde_json::Value;

#[test]
fn every_part_measures_something() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let out = tempfile::tempdir().unwrap();
    let mut bench = Command::new(env!("CARGO_BIN_EXE_bench"));
    bench.current_dir(&root).arg("--out").arg(out.path());
    bench.args([
        "--quick",
        "--rules",
        "2,50",
        "--rounds",
        "1",
        "--turn",
        "20",
        "--shapes",
        "users,drawn",
    ]);
    let output = bench.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let results: Value = serde_json::from_slice(&std::fs::read(out.path().join("bench.json")).unwrap()).unwrap();
    let positive = |path: &str| assert!(results.pointer(path).unwrap().as_f64().unwrap() > 0.0, "{path}: {said}");
    for row in 0..4 {
        for side in ["native", "switchyard", "plain", "noop"] {
            positive(&format!("/routes/{row}/sides/{side}/cpu_us/0"));
        }
    }
    for part in ["features/mirror", "features/headers", "features/tail"] {
        positive(&format!("/{part}/switchyard/p99_ms/0"));
    }
    positive("/features/mirror/mirrors/cpu_us/0");
    for figure in ["load_ms/0", "change_ms/0", "gap_ms/0", "json_kb"] {
        positive(&format!("/configuration/0/{figure}"));
    }
    assert_eq!(results["features"]["delays"].as_array().unwrap().len(), 4);
    assert!(said.contains("own cost, 2 rules / no-op filter"), "{said}");
    let picture = std::fs::read_to_string(out.path().join("bench.svg")).unwrap();
    assert_eq!(picture.matches("<polyline").count(), 4);
}
