use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use serde_json::{Value, json};
use switchyard::config::{Config, schema};
use switchyard::finding::Severity;
use switchyard::validate::validate;
use switchyard::yaml;

use super::switchyard;

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn validator(schema: &Value) -> Validator {
    assert!(jsonschema::meta::is_valid(schema));
    jsonschema::validator_for(schema).unwrap()
}

/// Every YAML file below a folder.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            found.push(path);
        }
    }
}

/// The documents of a file; none where it is not YAML.
fn documents(path: &Path) -> Option<Vec<Value>> {
    let text = fs::read_to_string(path).unwrap();
    let documents: Option<Vec<_>> = yaml::documents(&text).into_iter().map(Result::ok).collect();
    Some(
        documents?
            .iter()
            .map(|document| serde_json::to_value(document).unwrap())
            .collect(),
    )
}

/// Whether there is an error in how documents look, and whether there is one at all.
fn verdict(resources: &[Value]) -> (bool, bool) {
    let json = json!({ "resources": resources }).to_string();
    let (config, findings) = Config::from_json(json.as_bytes());
    let looks = findings.iter().any(|finding| finding.severity == Severity::Error);
    let any = validate(&config)
        .iter()
        .any(|finding| finding.severity == Severity::Error);
    (looks, looks || any)
}

#[test]
fn what_is_read_without_an_error_fits_the_schema_and_what_looks_wrong_does_not() {
    let validator = validator(&schema::plugin());
    let mut all = Vec::new();
    for folder in ["testdata/golden", "testdata/scenarios", "testdata/istio"] {
        files(&repository().join(folder), &mut all);
    }
    let (mut good, mut bad) = (0, 0);
    for path in all {
        let Some(resources) = documents(&path) else { continue };
        let (looks_wrong, is_wrong) = verdict(&resources);
        let plugin = json!({"proxy": {"port": 9080}, "options": {"maxActiveFaults": 10}, "resources": resources});
        let errors: Vec<String> = validator
            .iter_errors(&plugin)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(is_wrong || errors.is_empty(), "{}: {errors:?}", path.display());
        assert!(!looks_wrong || !errors.is_empty(), "{}", path.display());
        good += usize::from(!is_wrong);
        bad += usize::from(looks_wrong);
    }
    assert!(good > 300 && bad > 4, "{good} good, {bad} bad");
}

/// Every place of a value that is an object, a list or a leaf.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            places(
                value,
                &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")),
                found,
            );
        }),
        Value::Array(entries) => {
            entries
                .iter()
                .enumerate()
                .for_each(|(index, value)| places(value, &format!("{at}/{index}"), found));
        }
        _ => {}
    }
}

#[test]
fn an_unknown_field_and_a_wrong_type_are_wrong_wherever_they_stand() {
    let validator = validator(&schema::manifest());
    let mut changed = 0;
    for folder in ["named", "mix"] {
        let mut all = Vec::new();
        files(&repository().join("testdata/golden").join(folder), &mut all);
        for path in all.iter().step_by(7) {
            for document in documents(path)
                .unwrap()
                .into_iter()
                .filter(|document| !verdict(std::slice::from_ref(document)).0)
            {
                let mut at = Vec::new();
                places(&document["spec"], "/spec", &mut at);
                for place in at {
                    let mut wrong = document.clone();
                    let Some(value) = wrong.pointer_mut(&place) else {
                        continue;
                    };
                    match value {
                        Value::Object(fields) => _ = fields.insert("unknwn".to_owned(), json!([])),
                        Value::Array(_) => *value = json!("text"),
                        Value::String(_) => *value = json!(7),
                        _ => *value = json!("text"),
                    }
                    let (looks_wrong, _) = verdict(&[wrong.clone()]);
                    assert_eq!(validator.is_valid(&wrong), !looks_wrong, "{place} of {wrong}");
                    changed += 1;
                }
            }
        }
    }
    assert!(changed > 1000, "{changed}");
}

#[test]
fn names_have_both_spellings_and_values_their_forms() {
    let validator = validator(&schema::object("VirtualService").unwrap());
    let with = |rule: Value| json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "a"}, "spec": {"hosts": ["a"], "http": [rule]}});
    for good in [
        json!({"timeout": "1.5s"}),
        json!({"mirror_percent": 5}),
        json!({"mirrorPercentage": {"value": 0.5}}),
        json!({"redirect": {"derivePort": "FROM_REQUEST_PORT"}}),
    ] {
        assert!(validator.is_valid(&with(good.clone())), "{good}");
    }
    for bad in [
        json!({"timeout": "10"}),
        json!({"timout": "1s"}),
        json!({"mirror_percent": "5"}),
        json!({"redirect": {"derivePort": "FROM_REQUEST"}}),
    ] {
        assert!(!validator.is_valid(&with(bad.clone())), "{bad}");
    }
    let text = schema::object("VirtualService").unwrap().to_string();
    assert!(text.contains("The rules, in order: the first that matches takes the request."));
}

#[test]
fn the_samples_fit_the_schemas_that_they_name() {
    let mut all = Vec::new();
    files(&repository().join("envoy/samples"), &mut all);
    let mut named = 0;
    for path in all {
        let text = fs::read_to_string(&path).unwrap();
        let Some(schema) = text
            .lines()
            .find_map(|line| line.strip_prefix("# yaml-language-server: $schema="))
        else {
            continue;
        };
        let schema = path.parent().unwrap().join(schema);
        let validator = validator(&serde_json::from_str(&fs::read_to_string(schema).unwrap()).unwrap());
        for document in documents(&path).unwrap() {
            let errors: Vec<String> = validator
                .iter_errors(&document)
                .map(|error| error.to_string())
                .collect();
            assert!(errors.is_empty(), "{}: {errors:?}", path.display());
        }
        named += 1;
    }
    assert!(named >= 9, "{named}");
}

#[test]
fn the_schemas_in_the_repository_are_those_that_the_command_prints() {
    for kind in ["plugin", "manifest", "callers"] {
        let printed = switchyard(repository(), &["schema", "--kind", kind], "");
        assert_eq!((printed.status, printed.stderr.as_str()), (0, ""));
        let file = format!("envoy/schema/{kind}.json");
        let kept = fs::read_to_string(repository().join(&file)).unwrap_or_default();
        assert!(kept == printed.stdout, "{file} is not current; run `make schema`");
    }
}

#[test]
fn an_unknown_kind_names_the_nearest() {
    let outcome = switchyard(repository(), &["schema", "--kind", "VirtualServices"], "");
    assert_eq!((outcome.status, outcome.stdout.as_str()), (2, ""));
    assert!(
        outcome.stderr.contains("a similar value exists: 'VirtualService'"),
        "{}",
        outcome.stderr
    );
}
