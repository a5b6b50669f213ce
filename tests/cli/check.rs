use serde_json::Value;

use super::{Outcome, directory, switchyard};

const REVIEWS: &str = "\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
spec:
  hosts: [reviews]
  http:
  - match:
    - uri: {prefix: /api}
    route:
    - destination: {host: reviews, subset: v1}
  - name: canary
    match:
    - uri: {prefix: /api/v2}
      headers: {end-user: {exact: jason}}
    route:
    - destination: {host: reviews, subset: v9}
  - route:
    - destination: {host: reviews, subset: v1}
    timeuot: 1s  # one second
";

const SUBSETS: &str = "\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews}
spec:
  host: reviews
  subsets:
  - {name: v1, labels: {version: v1}}
";

fn check(files: &[(&str, &str)], args: &[&str], stdin: &str) -> Outcome {
    let directory = directory(files);
    switchyard(directory.path(), &[&["check"], args].concat(), stdin)
}

fn reviews(args: &[&str]) -> Outcome {
    let files = [("m/reviews.yaml", REVIEWS), ("m/subsets.yaml", SUBSETS)];
    check(&files, &[&["m"], args].concat(), "")
}

#[test]
fn findings_stand_below_the_lines_they_are_about() {
    let outcome = reviews(&[]);
    assert_eq!((outcome.status, outcome.stderr.as_str()), (1, ""));
    assert_eq!(
        outcome.stdout,
        "\
warning[IST0130]: VirtualService default/reviews http[1]: is never used: http[0].match[0] takes every request for it
  --> m/reviews.yaml:12:5
   |
 9 |     - uri: {prefix: /api}
   |       ------------------- takes its requests first
...
12 |   - name: canary
   |     ^^^^^^^^^^^^

error[IST0101]: VirtualService default/reviews http[1].route[0].destination.subset: no subset v9: reviews has v1; requests that come here get 503
  --> m/reviews.yaml:17:36
   |
17 |     - destination: {host: reviews, subset: v9}
   |                                    ^^^^^^^^^^

error: VirtualService default/reviews http[2].timeuot: there is no such field; did you mean `timeout`?
  --> m/reviews.yaml:20:5
   |
20 |     timeuot: 1s  # one second
   |     ^^^^^^^^^^^

2 documents in 2 files: 2 errors and 1 warning
"
    );
}

#[test]
fn a_place_in_another_file_is_shown_too() {
    let older = REVIEWS
        .replace("name: reviews", "name: older")
        .replace("http:", "exportTo: ['*']\n  http:");
    let outcome = check(&[("a.yaml", &older), ("b.yaml", REVIEWS)], &["*.yaml"], "");
    let about = outcome
        .stdout
        .split("\n\n")
        .find(|text| text.contains("sidecars take the oldest, and"))
        .unwrap();
    assert_eq!(
        about,
        "\
error[IST0109]: VirtualService default/reviews hosts[0]: default/older has reviews.default.svc.cluster.local already; \
sidecars take the oldest, and nothing of this one for the host: merge them
 --> b.yaml:6:11
  |
6 |   hosts: [reviews]
  |           ^^^^^^^
  |
 ::: a.yaml:6:11
  |
6 |   hosts: [reviews]
  |           ------- the host is here too"
    );
}

#[test]
fn one_line_each_is_enough_for_some() {
    let outcome = reviews(&["-o", "short"]);
    assert_eq!(
        outcome.stdout.lines().collect::<Vec<_>>(),
        [
            "m/reviews.yaml:12:5: warning[IST0130]: VirtualService default/reviews http[1]: is never used: http[0].match[0] takes every request for it",
            "m/reviews.yaml:14:7: info[IST0131]: VirtualService default/reviews http[1].match[0]: is never used: http[0].match[0] takes every request for it",
            "m/reviews.yaml:17:36: error[IST0101]: VirtualService default/reviews http[1].route[0].destination.subset: no subset v9: reviews has v1; requests that come here get 503",
            "m/reviews.yaml:20:5: error: VirtualService default/reviews http[2].timeuot: there is no such field; did you mean `timeout`?",
        ]
    );
}

#[test]
fn machines_get_json() {
    let findings: Vec<Value> = serde_json::from_str(&reviews(&["-o", "json"]).stdout).unwrap();
    assert_eq!(findings.len(), 4);
    let object = serde_json::json!({"kind": "VirtualService", "namespace": "default", "name": "reviews"});
    let related =
        serde_json::json!([{"message": "takes its requests first", "file": "m/reviews.yaml", "line": 9, "column": 7}]);
    assert_eq!(
        findings[0],
        serde_json::json!({
            "severity": "warning", "code": "IST0130", "object": object, "path": "http[1]",
            "message": "is never used: http[0].match[0] takes every request for it",
            "file": "m/reviews.yaml", "line": 12, "column": 5, "related": related,
        })
    );
    assert_eq!(check(&[], &["-", "-o", "json"], SUBSETS).stdout, "[]\n");
}

#[test]
fn code_scanners_get_sarif() {
    let log: Value = serde_json::from_str(&reviews(&["-o", "sarif"]).stdout).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules: Vec<&str> = run["tool"]["driver"]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["id"].as_str().unwrap())
        .collect();
    assert_eq!(rules, ["IST0101", "IST0130", "IST0131", "schema"]);
    let results = run["results"].as_array().unwrap();
    let levels: Vec<&str> = results.iter().map(|result| result["level"].as_str().unwrap()).collect();
    assert_eq!(levels, ["warning", "note", "error", "error"]);
    assert_eq!(
        results[0]["locations"][0]["physicalLocation"],
        serde_json::json!({"artifactLocation": {"uri": "m/reviews.yaml"}, "region": {"startLine": 12, "startColumn": 5}})
    );
    assert_eq!(
        results[0]["relatedLocations"][0]["message"]["text"],
        "takes its requests first"
    );
    assert!(
        results
            .iter()
            .all(|result| rules.contains(&result["ruleId"].as_str().unwrap()))
    );
}

#[test]
fn workflows_get_annotations() {
    let files = [("a,b%.yaml", REVIEWS), ("subsets.yaml", SUBSETS)];
    let outcome = check(&files, &["a,b%.yaml", "subsets.yaml", "-o", "github"], "");
    assert_eq!(
        outcome.stdout.lines().next().unwrap(),
        "::warning file=a%2Cb%25.yaml,line=12,col=5,title=IST0130::VirtualService default/reviews http[1]: is never used: \
         http[0].match[0] takes every request for it"
    );
    assert!(outcome.stdout.contains("::notice file="));
}

#[test]
fn the_exit_status_follows_fail_on() {
    let status = |args: &[&str]| reviews(args).status;
    assert_eq!(status(&["--fail-on", "never"]), 0);
    assert_eq!(status(&["--fail-on", "error"]), 1);
    let warned = REVIEWS
        .replace("subset: v9", "subset: v1")
        .replace("timeuot", "timeout");
    let warned = |args: &[&str]| check(&[("a", &warned), ("b", SUBSETS)], &[&["a", "b"], args].concat(), "").status;
    assert_eq!(warned(&[]), 0);
    assert_eq!(warned(&["--fail-on", "warning"]), 1);
    assert_eq!(warned(&["--fail-on", "warning", "--ignore", "IST0130"]), 0);
    assert_eq!(warned(&["--fail-on", "info", "--ignore", "IST0130"]), 1);
}

#[test]
fn clean_documents_are_counted() {
    let outcome = check(&[], &["-"], SUBSETS);
    assert_eq!(
        (outcome.status, outcome.stdout.as_str(), outcome.stderr.as_str()),
        (0, "1 document in 1 file: nothing to report\n", "")
    );
}

#[test]
fn lists_patterns_and_standard_input_are_read() {
    let list = "kind: List\napiVersion: v1\nitems:\n- ".to_owned() + &SUBSETS.trim_end().replace('\n', "\n  ");
    let files = [("x/a.yaml", SUBSETS), ("x/y/b.yaml", SUBSETS), ("x/c.json", "{}")];
    let last = |args: &[&str], stdin: &str| {
        check(&files, args, stdin)
            .stdout
            .lines()
            .last()
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(last(&["-"], &list), "1 document in 1 file: nothing to report");
    assert!(last(&["x/**/*.yaml"], "").starts_with("2 documents in 2 files:"));
    assert!(last(&["-R", "x", "x/a.yaml"], "").starts_with("3 documents in 3 files:"));
}

#[test]
fn what_cannot_be_read_is_one_message_and_status_2() {
    for (args, message) in [
        (vec!["none.yaml"], "error: none.yaml: No such file"),
        (vec!["none*.yaml"], "error: none*.yaml: no file has such a name"),
        (vec!["a[.yaml"], "error: a[.yaml: Pattern syntax error"),
        (vec![], "error: the following required arguments were not provided"),
        (
            vec!["-", "--fail-on", "errors"],
            "error: invalid value 'errors' for '--fail-on <SEVERITY>'",
        ),
    ] {
        let outcome = check(&[], &args, "");
        assert!(outcome.stderr.starts_with(message), "{args:?}: {}", outcome.stderr);
        assert_eq!((outcome.status, outcome.stdout.as_str()), (2, ""), "{args:?}");
    }
}

#[test]
fn documents_beside_one_that_is_no_yaml_are_checked_too() {
    let outcome = check(&[("a.yaml", "a: [\n"), ("b.yaml", REVIEWS)], &["a.yaml", "b.yaml"], "");
    assert_eq!(
        (outcome.status, outcome.stderr.as_str()),
        (2, "error: 1 document could not be read\n")
    );
    assert!(
        outcome
            .stdout
            .starts_with("error: is not YAML: unclosed bracket '['\n --> a.yaml:1:4\n  |\n1 | a: [\n  |    ^\n\n")
    );
    assert!(outcome.stdout.contains("b.yaml:20:5"));
}

#[test]
fn colour_is_for_terminals_and_those_who_ask() {
    assert!(!reviews(&[]).stdout.contains('\u{1b}'));
    assert!(reviews(&["--color", "always"]).stdout.contains("\u{1b}[1m"));
    assert!(!reviews(&["--color", "never"]).stdout.contains('\u{1b}'));
}
