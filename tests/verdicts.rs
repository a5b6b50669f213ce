//! What is wrong with a manifest, by istiod and by us.
//!
//! The loading is the filter's own: manifest, plugin JSON, [`Plugin::load`]. `cargo test --test verdicts -- --show-output` prints the counts.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod goldens;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use goldens::{Case, cases, folder};
use regex::bytes::Regex;
use serde_json::{Value, json};
use switchyard::finding::{Finding, Severity};
use switchyard::plugin::Plugin;
use switchyard::yaml;

/// Cases where we say something else than istiod, each with its reason in `testdata/differences.md`.
const DIFFERENT: [(&str, &str); 4] = [
    ("fault-percent-above-100", "delay-percent"),
    ("redirect-port-and-derive", "strict"),
    ("two-oneofs", "strict"),
    ("unknown-field", "strict"),
];

fn is_different(case: &Case) -> bool {
    DIFFERENT.iter().any(|(name, _)| *name == case.name)
}

/// Everything that is said of a file's documents.
fn findings(text: &str) -> Vec<Finding> {
    let documents: Result<Vec<_>, _> = yaml::documents(text).into_iter().collect();
    let documents = documents.unwrap_or_else(|faults| panic!("{faults:?}"));
    let plugin = json!({ "resources": documents }).to_string();
    match Plugin::load(plugin.as_bytes()) {
        Ok(plugin) => plugin.findings,
        Err(findings) => findings,
    }
}

/// Whether there are errors, and whether there are warnings where there are no errors: istiod gives no warnings then.
fn verdict(severities: impl Iterator<Item = Severity>) -> (bool, bool) {
    let severities: BTreeSet<Severity> = severities.collect();
    let errors = severities.contains(&Severity::Error);
    (errors, !errors && severities.contains(&Severity::Warning))
}

fn ours(findings: &[Finding]) -> (bool, bool) {
    verdict(findings.iter().map(|finding| finding.severity))
}

fn istiods(case: &Case) -> (bool, bool) {
    let severity = |message: &Value| match message.get("error") {
        Some(_) => Severity::Error,
        None => Severity::Warning,
    };
    verdict(case.messages.iter().map(severity))
}

/// The table of what is said of each edge manifest: severity, code, path, and words that are in the sentence.
fn table() -> BTreeMap<String, Vec<[String; 4]>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/golden/findings.tsv");
    let text = std::fs::read_to_string(path).unwrap();
    let mut table: BTreeMap<String, Vec<[String; 4]>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<String> = line.split('\t').map(str::to_owned).collect();
        let [case, severity, code, path, words] = columns.try_into().unwrap_or_else(|line| panic!("{line:?}"));
        table.entry(case).or_default().push([severity, code, path, words]);
    }
    table
}

#[test]
fn edge_manifests_have_istiods_verdicts() {
    let cases = cases(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/golden/invalid"));
    let different: Vec<&str> = cases
        .iter()
        .filter(|case| ours(&findings(&case.input_yaml)) != istiods(case))
        .map(|case| case.name.as_str())
        .collect();
    println!("verdicts: {} of {} agree", cases.len() - different.len(), cases.len());
    DIFFERENT
        .iter()
        .for_each(|(name, reason)| println!("  {reason}: {name}"));
    assert_eq!(different, DIFFERENT.map(|(name, _)| name));
    let differences = include_str!("../testdata/differences.md");
    let argued = |reason: &str| differences.contains(&format!("\n| `{reason}` |"));
    assert!(DIFFERENT.iter().all(|(_, reason)| argued(reason)));
}

#[test]
fn findings_of_edge_manifests_name_the_place_and_the_fault() {
    let mut table = table();
    for case in cases(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/golden/invalid")) {
        let expected = table.remove(&case.name).unwrap_or_default();
        let found = findings(&case.input_yaml);
        let brief = |finding: &Finding| {
            [
                finding.severity.to_string(),
                finding.code.to_owned(),
                finding.path.clone(),
            ]
        };
        let places: Vec<_> = expected
            .iter()
            .map(|[severity, code, path, _]| [severity.clone(), code.clone(), path.clone()])
            .collect();
        assert_eq!(found.iter().map(brief).collect::<Vec<_>>(), places, "{}", case.name);
        for (finding, [.., words]) in found.iter().zip(&expected) {
            assert!(finding.message.contains(words.as_str()), "{}: {finding}", case.name);
        }
    }
    assert!(table.is_empty(), "no such case: {table:?}");
}

/// Where istiod's warnings about unused rules point: `http[1]` or `http[1].match[0]`.
fn unused(case: &Case) -> BTreeSet<String> {
    let message =
        Regex::new(r#"rule (#[0-9]+|"[^"]*")(?: match (#[0-9]+|"[^"]*"))?(?: of prefix [^ ]*)? (?:is )?not used"#)
            .unwrap();
    let documents: Vec<Value> = yaml::documents(&case.input_yaml)
        .into_iter()
        .map(|document| serde_json::to_value(document.unwrap()).unwrap())
        .collect();
    let texts = case.messages.iter().filter_map(|message| message["warning"].as_str());
    let mut paths = BTreeSet::new();
    for text in texts {
        for captures in message.captures_iter(text.as_bytes()) {
            let group = |index: usize| {
                captures
                    .get(index)
                    .map(|group| std::str::from_utf8(group.as_bytes()).unwrap())
            };
            let rules = &documents
                .iter()
                .find(|document| document["kind"] == "VirtualService")
                .unwrap()["spec"]["http"];
            let rule = place(rules, group(1).unwrap());
            let entry = group(2).map(|entry| format!(".match[{}]", place(&rules[rule]["match"], entry)));
            paths.insert(format!("http[{rule}]{}", entry.unwrap_or_default()));
        }
    }
    paths
}

/// The index that `#1` or the name in `"r1"` stands for.
fn place(list: &Value, name: &str) -> usize {
    match name.strip_prefix('#') {
        Some(index) => index.parse().unwrap(),
        None => {
            let list = list.as_array().unwrap();
            list.iter()
                .position(|entry| entry["name"] == name.trim_matches('"'))
                .unwrap()
        }
    }
}

#[test]
fn unused_rules_and_matches_are_those_that_istiod_finds() {
    let mut count = 0;
    for case in cases(&folder()) {
        let is_unused = |finding: &&Finding| ["IST0130", "IST0131"].contains(&finding.code);
        let found = findings(&case.input_yaml);
        let found: BTreeSet<String> = found
            .iter()
            .filter(is_unused)
            .map(|finding| finding.path.clone())
            .collect();
        let expected = unused(&case);
        count += expected.len();
        assert_eq!(found, expected, "{}", case.name);
    }
    assert!(
        count > 20 || std::env::var_os("GOLDEN_DIR").is_some(),
        "only {count} are compared"
    );
}

#[test]
fn what_istiod_serves_is_taken_and_what_it_refuses_is_not() {
    let all = cases(&folder());
    for case in all.iter().filter(|case| !is_different(case)) {
        let found = findings(&case.input_yaml);
        let agreed = |finding: &&Finding| finding.code != "IST0002";
        let severities = found.iter().filter(agreed).map(|finding| finding.severity);
        assert_eq!(verdict(severities), istiods(case), "{}: {found:?}", case.name);
    }
}

#[test]
fn codes_are_istios_own() {
    const OURS: [&str; 4] = ["IST0106", "IST0130", "IST0131", "IST0133"];
    let wanted = |code: &&str| OURS.contains(code);
    for case in cases(&folder()).iter().filter(|case| !is_different(case)) {
        let analyzed: BTreeSet<&str> = case
            .analyze
            .iter()
            .filter_map(|message| message["code"].as_str())
            .collect();
        if analyzed.contains("parse") {
            continue;
        }
        let found = findings(&case.input_yaml);
        let found: BTreeSet<&str> = found.iter().map(|finding| finding.code).filter(wanted).collect();
        assert_eq!(found, analyzed.into_iter().filter(wanted).collect(), "{}", case.name);
    }
}

/// The published documents, which are no part of the repository: `REAL_WORLD_DIR`, or where they lie beside it.
fn published() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/real-world");
    let folder = std::env::var_os("REAL_WORLD_DIR").map_or_else(beside, PathBuf::from);
    folder.join("istiod-verdicts.json").is_file().then_some(folder)
}

/// Why a finding is none of istiod's, where that is meant so; see `testdata/differences.md`.
fn agreed(finding: &Finding) -> Option<&'static str> {
    match finding.code {
        "" if finding.message.starts_with("there is no such field") => Some("kubectl refuses the unknown field"),
        "SWY0001" => Some("routes of TLS or TCP are not served here"),
        "IST0002" => Some("delay.percent is deprecated"),
        "IST0133"
            if finding
                .path
                .ends_with("].trafficPolicy.outlierDetection.consecutiveErrors") =>
        {
            Some("istiod loses the warning in a subset")
        }
        _ => None,
    }
}

#[test]
fn published_documents_have_istiods_verdicts() {
    let Some(folder) = published() else {
        println!("real world verdicts: skipped, the documents are not beside the repository");
        return;
    };
    let text = std::fs::read_to_string(folder.join("istiod-verdicts.json")).unwrap();
    let istiods: BTreeMap<String, BTreeMap<String, Vec<String>>> = serde_json::from_str(&text).unwrap();
    let (mut alike, mut reasons, mut unlike) = (0, BTreeMap::<_, usize>::new(), Vec::new());
    for (name, messages) in &istiods {
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        let found = findings(&text);
        let has = |sort: &str| !messages[sort].is_empty();
        let istiods = (has("errors"), !has("errors") && has("warnings"));
        let kept = found.iter().filter(|finding| agreed(finding).is_none());
        // istiod alone knows no namespace that a file leaves out, and reads `.` as none.
        let no_namespace = messages["errors"].iter().all(|error| error.ends_with("exportTo entry")) && has("errors");
        if ours(&found) == istiods {
            alike += 1;
        } else if verdict(kept.map(|finding| finding.severity)) == istiods {
            let reason = found
                .iter()
                .filter(|finding| agreed(finding).is_some())
                .max_by_key(|finding| finding.severity);
            *reasons.entry(reason.and_then(agreed).unwrap_or_default()).or_default() += 1;
        } else if no_namespace && !text.contains("namespace:") {
            *reasons
                .entry("the file has no namespace for `exportTo: [.]`")
                .or_default() += 1;
        } else {
            unlike.push(format!("{name}: istiod says {messages:?}, we say {found:?}"));
        }
    }
    println!("real world verdicts: {alike} of {} agree", istiods.len());
    reasons
        .iter()
        .for_each(|(reason, count)| println!("  {count} differ: {reason}"));
    assert!(unlike.is_empty(), "{}", unlike.join("\n"));
}

#[test]
fn published_documents_are_read_and_taken_or_refused_for_a_reason() {
    let Some(folder) = published() else {
        println!("real world: skipped, the documents are not beside the repository");
        return;
    };
    let files = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<PathBuf> = files
        .filter(|path| path.extension().is_some_and(|kind| kind == "yaml"))
        .collect();
    files.sort();
    let (mut taken, mut whole, mut rest) = (0, 0, Vec::new());
    for file in &files {
        let found = findings(&std::fs::read_to_string(file).unwrap());
        let not_served = found.iter().find(|finding| finding.code == "SWY0001");
        let refused = found.iter().find(|finding| finding.severity == Severity::Error);
        taken += usize::from(refused.is_none());
        whole += usize::from(refused.is_none() && not_served.is_none());
        let name = file.file_name().unwrap().display();
        rest.extend(refused.or(not_served).map(|finding| format!("  {name}: {finding}")));
    }
    println!("real world: {taken} of {} accepted, {whole} fully handled", files.len());
    rest.iter().for_each(|line| println!("{line}"));
    assert!(files.len() > 300 && taken + rest.len() >= files.len());
}

#[test]
fn the_scenarios_manifests_are_taken() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/scenarios");
    let mut count = 0;
    for scenario in std::fs::read_dir(folder).unwrap() {
        for file in std::fs::read_dir(scenario.unwrap().path()).unwrap() {
            let file = file.unwrap().path();
            let found = findings(&std::fs::read_to_string(&file).unwrap());
            let is_deprecated = |finding: &Finding| finding.message.starts_with("is deprecated");
            assert!(found.iter().all(is_deprecated), "{}: {found:?}", file.display());
            count += 1;
        }
    }
    assert!(count >= 25, "only {count} files");
}
