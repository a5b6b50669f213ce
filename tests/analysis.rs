//! What is said of documents together, by `istioctl analyze` and by us. The command is asked, as a person would.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod goldens;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use goldens::{cases, folder};
use serde_json::Value;

/// A code, its level and a resource.
type Fact = (String, String, String);

/// Whether a finding is about services; istioctl asks for them in a cluster alone, and was given none.
fn is_about_services(finding: &Value) -> bool {
    let path = finding["path"].as_str().unwrap_or_default();
    let code = finding["code"].as_str().unwrap();
    code == "IST0112" || code == "IST0101" && [".host", ".port.number"].iter().any(|end| path.ends_with(end))
}

/// What `switchyard check` says with Istio's codes, services aside.
fn ours(files: &[&Path]) -> BTreeSet<Fact> {
    let output = Command::new(env!("CARGO_BIN_EXE_switchyard"))
        .args(["check", "-o", "json", "--fail-on", "never"])
        .args(files)
        .output()
        .unwrap();
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let fact = |finding: &Value| {
        let object = &finding["object"];
        let resource = format!(
            "{} {}/{}",
            text(&object["kind"]),
            text(&object["namespace"]),
            text(&object["name"])
        );
        (text(&finding["code"]), text(&finding["severity"]), resource)
    };
    findings
        .iter()
        .filter(|finding| text(&finding["code"]).starts_with("IST") && !is_about_services(finding))
        .map(fact)
        .collect()
}

/// What `istioctl analyze` says; it gives no namespace where none is written.
fn istios(messages: &[Value]) -> BTreeSet<Fact> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let fact = |message: &Value| {
        let resource = text(&message["resource"]);
        let (kind, name) = resource.split_once(' ').unwrap_or_default();
        let name = if name.contains('/') {
            name.to_owned()
        } else {
            format!("default/{name}")
        };
        (
            text(&message["code"]),
            text(&message["level"]).to_lowercase(),
            format!("{kind} {name}"),
        )
    };
    messages.iter().map(fact).collect()
}

/// Why only one of the two says it, where that is meant so; see `testdata/differences.md`.
fn reason(name: &str, (code, ..): &Fact, is_ours: bool, istios: &BTreeSet<Fact>) -> Option<&'static str> {
    match (code.as_str(), is_ours) {
        ("IST0106" | "IST0133" | "IST0002" | "parse", _) => {
            Some("one document's own mistakes: tests/verdicts.rs compares them")
        }
        ("IST0132", false) if istios.iter().any(|(code, ..)| code == "IST0101") => {
            Some("the Gateway is not there at all, which IST0101 says")
        }
        ("IST0130" | "IST0131", true) => Some("istiod guesses which rules are unreachable, and finds fewer"),
        ("IST0131", false) if name == "mix-036" => Some("istiod leaves sourceLabels out of account, and guesses wrong"),
        ("IST0130", false) if name.contains("reviews-vs") => Some("rules of TCP are not served here"),
        ("IST0109", false) if name == "hosts-twice" => Some("it is one VirtualService, which IST0106 says"),
        _ => None,
    }
}

#[derive(Default)]
struct Comparison {
    files: usize,
    alike: usize,
    reasons: BTreeMap<&'static str, usize>,
    unlike: Vec<String>,
}

impl Comparison {
    fn add(&mut self, name: &str, ours: &BTreeSet<Fact>, istios: &BTreeSet<Fact>) {
        self.files += 1;
        self.alike += ours.intersection(istios).count();
        for fact in ours.symmetric_difference(istios) {
            let is_ours = ours.contains(fact);
            match reason(name, fact, is_ours, istios) {
                Some(reason) => *self.reasons.entry(reason).or_default() += 1,
                None => self.unlike.push(format!(
                    "{name}: {} {fact:?}",
                    if is_ours { "we alone" } else { "istio alone" }
                )),
            }
        }
    }

    fn close(self, what: &str) {
        println!("{what}: {} facts in {} files are alike", self.alike, self.files);
        self.reasons
            .iter()
            .for_each(|(reason, count)| println!("  {count} differ: {reason}"));
        assert!(self.unlike.is_empty(), "{}", self.unlike.join("\n"));
    }
}

#[test]
fn the_goldens_are_analyzed_as_istio_does() {
    let mut comparison = Comparison::default();
    for case in cases(&folder()) {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("input.yaml");
        std::fs::write(&file, &case.input_yaml).unwrap();
        comparison.add(&case.name, &ours(&[&file]), &istios(&case.analyze));
    }
    assert!(comparison.alike > 100 || std::env::var_os("GOLDEN_DIR").is_some());
    comparison.close("goldens");
}

/// The published documents, which are no part of the repository: `REAL_WORLD_DIR`, or where they lie beside it.
fn published() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/real-world");
    let folder = std::env::var_os("REAL_WORLD_DIR").map_or_else(beside, PathBuf::from);
    folder.join("istioctl-analyze.json").is_file().then_some(folder)
}

fn documents(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|kind| kind == "yaml"))
        .collect()
}

#[test]
fn published_documents_are_analyzed_as_istio_does() {
    let Some(folder) = published() else {
        println!("skipped: the documents are not beside the repository");
        return;
    };
    let text = std::fs::read_to_string(folder.join("istioctl-analyze.json")).unwrap();
    let all: BTreeMap<String, Vec<Value>> = serde_json::from_str(&text).unwrap();
    let mut comparison = Comparison::default();
    for file in documents(&folder) {
        let name = file.file_name().unwrap().to_str().unwrap();
        let messages = all.get(name).map(Vec::as_slice).unwrap_or_default();
        comparison.add(name, &ours(&[&file]), &istios(messages));
    }
    comparison.close("published documents");
}

#[test]
fn all_published_documents_in_one_call_take_below_a_second() {
    let Some(folder) = published() else {
        println!("skipped: the documents are not beside the repository");
        return;
    };
    let files = documents(&folder);
    let paths: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let begun = Instant::now();
    assert!(!ours(&paths).is_empty());
    println!("{} documents: {:?}", files.len(), begun.elapsed());
    // The command under test is unoptimised.
    assert!(begun.elapsed() < Duration::from_secs(5));
}
