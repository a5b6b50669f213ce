use serde_json::{Value, json};

use super::{Outcome, directory, switchyard};

const REVIEWS: &str = "\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews}
spec:
  hosts: [reviews]
  http:
  - timeout: 1s
    route:
    - destination: {host: reviews, subset: v2}
";

fn read(files: &[(&str, &str)], args: &[&str], stdin: &str) -> Outcome {
    let directory = directory(files);
    switchyard(directory.path(), &[&["plugin-config"], args].concat(), stdin)
}

fn json(outcome: &Outcome) -> Value {
    assert_eq!((outcome.status, outcome.stderr.as_str()), (0, ""));
    serde_json::from_str(&outcome.stdout).unwrap()
}

#[test]
fn objects_come_out_as_they_are() {
    let spec = json!({"hosts": ["reviews"], "http": [{"timeout": "1s", "route": [{"destination": {"host": "reviews", "subset": "v2"}}]}]});
    let reviews = json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "reviews"}, "spec": spec});
    let printed = json(&read(&[("a.yaml", REVIEWS)], &["-f", "a.yaml"], ""));
    assert_eq!(printed, json!({"proxy": {}, "resources": [reviews]}));
}

#[test]
fn the_proxy_and_the_options_are_given_by_flags() {
    let flags = "-f - --namespace shop --domain here --label app=web --label v=1 --gateway mesh --gateway shop/edge --port 9080 \
                 --option maxActiveFaults=5 --option explainHeader=x-why --option shadowHostSuffix=false";
    let printed = json(&read(&[], &flags.split_whitespace().collect::<Vec<_>>(), REVIEWS));
    assert_eq!(
        printed["proxy"],
        json!({"namespace": "shop", "domain": "here", "labels": {"app": "web", "v": "1"}, "gateways": ["mesh", "shop/edge"], "port": 9080})
    );
    assert_eq!(
        printed["options"],
        json!({"maxActiveFaults": 5, "explainHeader": "x-why", "shadowHostSuffix": false})
    );
}

#[test]
fn lists_and_documents_and_directories_are_read_in_order() {
    let item = |name: &str| REVIEWS.replace("{name: reviews}", &format!("{{name: {name}}}"));
    let list = json!({"kind": "List", "apiVersion": "v1", "items": [
        {"kind": "VirtualServiceList", "items": [{"kind": "Service", "metadata": {"name": "c"}}]},
        {"kind": "Service", "metadata": {"name": "d"}}]});
    let two = format!("---\n{}---\n# nothing\n---\n{}", item("a"), item("b"));
    let files = [
        ("m/1.yml", two.as_str()),
        ("m/2.json", &list.to_string()),
        ("m/.hidden.yaml", "["),
        ("m/notes.txt", "["),
        ("m/deeper/3.yaml", &item("e")),
    ];
    let names = |args: &[&str]| -> Vec<String> {
        let printed = json(&read(&files, args, ""));
        let resources = printed["resources"].as_array().unwrap().iter();
        resources
            .map(|object| object["metadata"]["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&["-f", "m"]), ["a", "b", "c", "d"]);
    assert_eq!(names(&["-R", "-f", "m"]), ["a", "b", "c", "d", "e"]);
    assert_eq!(names(&["-f", "m/deeper/3.yaml", "-f", "m/2.json"]), ["e", "c", "d"]);
}

#[test]
fn every_finding_has_its_line_and_nothing_is_printed() {
    let wrong = REVIEWS.replace("timeout", "timeuot").replace("subset: v2", "subset: 2");
    let files = [("m/a.yaml", "a: [\n---\nb: 1\nb: 2\n"), ("m/b.yaml", wrong.as_str())];
    let outcome = read(&files, &["-f", "m", "--option", "maxActiveFault=5"], "");
    assert_eq!((outcome.status, outcome.stdout.as_str()), (1, ""));
    assert_eq!(
        outcome.stderr.lines().collect::<Vec<_>>(),
        [
            "m/a.yaml:1:4: error: is not YAML: unclosed bracket '['",
            "m/a.yaml:4:1: error: `b` is here twice; keep one",
            "error: options.maxActiveFault: there is no such field; did you mean `maxActiveFaults`?",
            "m/b.yaml:7:5: error: VirtualService default/reviews http[0].timeuot: there is no such field; did you mean `timeout`?",
            "m/b.yaml:9:36: error: VirtualService default/reviews http[0].route[0].destination.subset: has to be a string, and is a number",
        ]
    );
}

#[test]
fn what_is_not_ours_stays_out() {
    let outcome = read(
        &[("a.yaml", "kind: Secret\nmetadata: {name: s}\ndata: {k: dg==}\n")],
        &["-f", "a.yaml"],
        "",
    );
    assert_eq!(outcome.status, 0);
    assert_eq!(
        outcome.stderr,
        "a.yaml:1:1: warning: Secret default/s kind: Secret is not a kind we read; it is passed over\n"
    );
    assert!(!outcome.stdout.contains("dg=="));
}

#[test]
fn what_cannot_be_read_is_one_message_and_status_2() {
    for (args, message) in [
        (vec!["-f", "none.yaml"], "error: none.yaml: No such file"),
        (vec!["-f", "empty"], "error: empty: holds no .yaml, .yml or .json file"),
        (
            vec!["-f", "-", "--port", "0"],
            "error: invalid value '0' for '--port <PORT>'",
        ),
        (
            vec!["-f", "-", "--label", "app"],
            "error: invalid value 'app' for '--label <KEY=VALUE>': write it as NAME=VALUE",
        ),
        (
            vec!["-f", "-", "--lable", "a=b"],
            "error: unexpected argument '--lable' found\n\n  tip: a similar argument exists: '--label'",
        ),
        (vec![], "error: the following required arguments were not provided"),
    ] {
        let outcome = read(&[("empty/notes.txt", "")], &args, "");
        assert!(outcome.stderr.starts_with(message), "{args:?}: {}", outcome.stderr);
        assert_eq!((outcome.status, outcome.stdout.as_str()), (2, ""));
    }
}

#[test]
fn bytes_that_are_no_text_are_named_by_their_place() {
    let directory = directory(&[]);
    std::fs::write(directory.path().join("a.yaml"), b"a: b\n\xc3\xa9: \xff\n").unwrap();
    let outcome = switchyard(directory.path(), &["plugin-config", "-f", "a.yaml"], "");
    assert_eq!(
        (outcome.status, outcome.stderr.as_str()),
        (1, "a.yaml:2:4: error: is not UTF-8\n")
    );
}

#[test]
fn colour_is_for_terminals_and_those_who_ask() {
    let plain = read(&[], &["-f", "-"], "a: [");
    assert_eq!(
        plain.stderr,
        "standard input:1:4: error: is not YAML: unclosed bracket '['\n"
    );
    let coloured = read(&[], &["-f", "-", "--color", "always"], "a: [");
    assert!(
        coloured.stderr.contains("\u{1b}[1m\u{1b}[31merror\u{1b}[0m: is not"),
        "{:?}",
        coloured.stderr
    );
}
