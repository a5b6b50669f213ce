use std::fmt::Write;

use serde_json::{Value, json};

use super::{Outcome, directory, switchyard};

const OLD: &str = "\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews}
spec:
  hosts: [reviews]
  http:
  - match: [{uri: {prefix: /api/}}]
    route:
    - {destination: {host: reviews, subset: v1}, weight: 90}
    - {destination: {host: reviews, subset: v3}, weight: 10}
    timeout: 2s
  - match: [{uri: {prefix: /old}}]
    redirect: {uri: /new}
  - match: [{uri: {exact: /api/health}}]
    directResponse: {status: 200}
  - route: [{destination: {host: reviews, subset: v1}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews}
spec:
  host: reviews
  trafficPolicy: {connectionPool: {http: {http1MaxPendingRequests: 100}}}
  subsets: [{name: v1, labels: {version: v1}}, {name: v3, labels: {version: v3}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: reviews}
spec:
  hosts: [reviews.default.svc.cluster.local]
  ports: [{number: 9080, name: http, protocol: HTTP}]
  resolution: STATIC
  endpoints: [{address: 127.0.0.1, ports: {http: 19401}, labels: {version: v1}}]
";

const RULES: &str = "\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews}
spec:
  hosts: [reviews]
  http:
  - name: canary
    match:
    - headers: {end-user: {exact: jason}}
    - {uri: {prefix: /beta}, sourceLabels: {app: web}}
    route: [{destination: {host: reviews, subset: v3}}]
  - match: [{uri: {prefix: /api/}}]
    route:
    - {destination: {host: reviews, subset: v1}, weight: 80}
    - {destination: {host: reviews, subset: v3}, weight: 20}
    timeout: 3s
  - route: [{destination: {host: reviews, subset: v1}}]
---
";

/// The rules changed, and the circuit breaker of all subsets.
fn new() -> String {
    let (_, rest) = OLD.split_once("---\n").unwrap();
    RULES.to_owned() + &rest.replace("http1MaxPendingRequests: 100", "http1MaxPendingRequests: 10")
}

/// The old document in other words: snake case, weights of the same shares, an expression for a prefix, and a rule that nobody reaches left out.
fn reworded() -> String {
    OLD.replace("weight: 90", "weight: 9")
        .replace("weight: 10", "weight: 1")
        .replace("{prefix: /api/}", "{regex: /api/.*}")
        .replace("trafficPolicy", "traffic_policy")
        .replace(
            "  - match: [{uri: {exact: /api/health}}]\n    directResponse: {status: 200}\n",
            "",
        )
}

fn diff(args: &[&str]) -> Outcome {
    let requests = "\
        {\"url\": \"reviews:9080/api/\", \"count\": 7}\n\
        {\"url\": \"reviews:9080/x\", \"headers\": {\"end-user\": \"jason\"}, \"count\": 2}\n\
        {\"url\": \"reviews:9080/old/page\"}\n\
        {\"url\": \"reviews:9080/\"}\n";
    let files = [
        ("old.yaml", OLD),
        ("new.yaml", &new()),
        ("reworded.yaml", &reworded()),
        ("requests.jsonl", requests),
        ("empty.jsonl", "\n"),
        ("broken.yaml", "a: ["),
        ("wrong.yaml", "kind: VirtualService\n"),
        ("nothing/readme.txt", ""),
    ];
    let directory = directory(&files);
    switchyard(directory.path(), &[&["diff"], args].concat(), OLD)
}

#[test]
fn each_rule_says_what_was_done_to_it_and_what_that_does() {
    let outcome = diff(&["old.yaml", "new.yaml"]);
    assert_eq!((outcome.status, outcome.stderr.as_str()), (1, ""));
    assert_eq!(outcome.stdout, include_str!("diff/meaning.txt"));
}

#[test]
fn requests_are_counted_by_what_becomes_of_them() {
    let outcome = diff(&["old.yaml", "new.yaml", "--requests", "requests.jsonl"]);
    assert_eq!((outcome.status, outcome.stderr.as_str()), (1, ""));
    assert_eq!(outcome.stdout, include_str!("diff/requests.txt"));
    let alike = diff(&["old.yaml", "reworded.yaml", "--requests", "requests.jsonl"]);
    assert_eq!(
        (alike.status, alike.stdout.as_str()),
        (0, "All 11 requests are treated alike\n")
    );
}

#[test]
fn the_same_meaning_in_other_words_is_no_difference() {
    let outcome = diff(&["old.yaml", "old.yaml"]);
    assert_eq!(
        (outcome.status, outcome.stdout.as_str()),
        (0, "Every request is treated alike\n")
    );
    let outcome = diff(&["old.yaml", "reworded.yaml"]);
    assert_eq!((outcome.status, outcome.stderr.as_str()), (0, ""));
    assert_eq!(outcome.stdout, include_str!("diff/reworded.txt"));
}

#[test]
fn one_side_may_be_standard_input_and_a_plugins_json() {
    assert_eq!(diff(&["-", "old.yaml"]).status, 0);
    let json = diff(&["old.yaml", "new.yaml", "-o", "json"]).stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    let class = &json["hosts"][0]["classes"][1];
    assert_eq!(json["isSame"], false);
    assert_eq!(
        class["old"]["rule"],
        json!({"virtualService": "default/reviews", "http": 0, "match": 0})
    );
    assert_eq!(
        class["changes"][0],
        json!({"what": "timeout", "old": "2s", "new": "3s"})
    );
    assert_eq!(
        class["example"],
        json!({"method": "GET", "url": "http://reviews:9080/api/", "headers": []})
    );
    assert_eq!(json["clusters"][0]["kind"], "changed");

    let directory = directory(&[("old.yaml", OLD), ("new.yaml", &new())]);
    let plugin = |file: &str, name: &str, options: &[&str]| {
        let args = [
            &["plugin-config", "-f", file, "--port", "9080", "--label", "app=web"],
            options,
        ]
        .concat();
        std::fs::write(
            directory.path().join(name),
            switchyard(directory.path(), &args, "").stdout,
        )
        .unwrap();
    };
    plugin("old.yaml", "old.json", &[]);
    plugin("new.yaml", "new.json", &["--option", "maxActiveFaults=7"]);
    let outcome = switchyard(directory.path(), &["diff", "old.json", "new.json"], "");
    assert_eq!((outcome.status, outcome.stderr.as_str()), (1, ""));
    assert!(
        outcome
            .stdout
            .starts_with("reviews.default.svc.cluster.local, port 9080, from app=web\n"),
        "{}",
        outcome.stdout
    );
    assert!(
        outcome.stdout.contains("maxActiveFaults none → 7"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn callers_are_chosen_by_flags() {
    let of = |args: &[&str]| diff(&[&["old.yaml", "new.yaml"], args].concat());
    assert!(!of(&["--from", "app=api"]).stdout.contains("/beta"));
    assert!(of(&["--from", "app=web"]).stdout.contains("/beta"));
    let elsewhere = of(&["--port", "81"]).stdout;
    assert!(elsewhere.starts_with("clusters\n"), "{elsewhere}");
}

#[test]
fn every_example_is_explained_as_it_says() {
    let json: Value = serde_json::from_str(&diff(&["old.yaml", "new.yaml", "-o", "json"]).stdout).unwrap();
    let directory = directory(&[("old.yaml", OLD), ("new.yaml", &new())]);
    let mut explained = 0;
    for host in json["hosts"].as_array().unwrap() {
        let labels = host["caller"]["labels"].as_object().unwrap();
        let from: Vec<String> = labels
            .iter()
            .map(|(name, value)| format!("{name}={}", value.as_str().unwrap()))
            .collect();
        for class in host["classes"].as_array().unwrap() {
            for side in ["old", "new"] {
                let example = &class["example"];
                let file = format!("{side}.yaml");
                let mut args = vec![
                    "explain",
                    "-o",
                    "json",
                    "-f",
                    &file,
                    "-X",
                    example["method"].as_str().unwrap(),
                ];
                let headers: Vec<String> = example["headers"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|pair| format!("{}: {}", pair[0].as_str().unwrap(), pair[1].as_str().unwrap()))
                    .collect();
                headers.iter().for_each(|header| args.extend(["-H", header]));
                let from = from.join(",");
                args.extend(["--from", &from, example["url"].as_str().unwrap()]);
                let outcome = switchyard(directory.path(), &args, "");
                let answer: Value = serde_json::from_str(&outcome.stdout).unwrap();
                assert_eq!(answer["rule"], class[side]["rule"], "{example} {side}");
                explained += 1;
            }
        }
    }
    assert_eq!(explained, 12);
}

#[test]
fn color_is_for_terminals_and_for_those_who_ask() {
    assert!(!diff(&["old.yaml", "new.yaml"]).stdout.contains('\x1b'));
    assert!(
        diff(&["old.yaml", "new.yaml", "--color", "always"])
            .stdout
            .contains("\x1b[32m+ added")
    );
}

#[test]
fn what_cannot_be_read_is_one_message_and_status_2() {
    for (args, message) in [
        (vec!["none.yaml", "new.yaml"], "error: none.yaml: No such file"),
        (
            vec!["old.yaml", "nothing"],
            "error: nothing: holds no .yaml, .yml or .json file",
        ),
        (vec!["old.yaml", "*.yml"], "error: *.yml: no file has such a name"),
        (
            vec!["-", "-"],
            "error: standard input is only one of OLD, NEW and the requests",
        ),
        (
            vec!["old.yaml"],
            "error: the following required arguments were not provided:\n  <NEW>",
        ),
        (
            vec!["old.yaml", "new.yaml", "--requests", "empty.jsonl"],
            "error: empty.jsonl: holds no request",
        ),
        (
            vec!["old.yaml", "new.yaml", "--requests", "none.jsonl"],
            "error: none.jsonl: No such file",
        ),
        (
            vec!["old.yaml", "new.yaml", "--request", "x"],
            "error: unexpected argument '--request' found",
        ),
        (
            vec!["old.yaml", "new.yaml", "--gateway", "edge"],
            "error: no document names the gateway default/edge",
        ),
        (
            vec!["old.yaml", "broken.yaml"],
            "broken.yaml:1:4: error: is not YAML: unclosed bracket '['\nerror: broken.yaml: could not be read",
        ),
    ] {
        let outcome = diff(&args);
        assert!(outcome.stderr.starts_with(message), "{args:?}: {}", outcome.stderr);
        assert_eq!((outcome.status, outcome.stdout.as_str()), (2, ""), "{args:?}");
    }
    let refused = diff(&["wrong.yaml", "new.yaml"]);
    assert_eq!((refused.status, refused.stdout.as_str()), (2, ""));
    assert!(
        refused
            .stderr
            .starts_with("wrong.yaml:1:1: error: VirtualService default/ apiVersion")
    );
    assert!(
        refused
            .stderr
            .ends_with("error: wrong.yaml: would be refused, so it cannot be compared\n")
    );
}

/// A VirtualService of many rules: by a user's name, by path, or of all sorts.
fn many(shape: &str, count: usize, timeout: impl Fn(usize) -> usize) -> String {
    let rule = |number: usize| {
        let path = format!("/shop/{}/item-{number}", number % 97);
        let matches = match (shape, number % 4) {
            ("users", _) | ("mixed", 0) => json!({"headers": {"end-user": {"exact": format!("user-{number}")}}}),
            ("paths", 0) | ("mixed", 1) => json!({"uri": {"exact": path}}),
            ("mixed", 2) => json!({"headers": {"cookie": {"regex": format!("^(.*?;)?(user=u{number})(;.*)?$")}}}),
            _ => json!({"uri": {"prefix": path}}),
        };
        json!({"match": [matches], "route": [{"destination": {"host": "reviews"}}], "timeout": format!("{}s", timeout(number))})
    };
    let rules: Vec<Value> = (0..count).map(rule).collect();
    let metadata = json!({"name": "reviews"});
    let spec = json!({"hosts": ["reviews"], "http": rules});
    json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": metadata, "spec": spec})
        .to_string()
}

/// The limit is generous, for this is the build without optimisation and other tests run beside it.
#[test]
fn many_rules_and_requests_are_compared_in_seconds() {
    const RULES: usize = 3000;
    let mut requests = String::new();
    for number in 0..10 * RULES {
        let rule = number % RULES;
        let _ = writeln!(
            requests,
            "{{\"url\": \"reviews/shop/{}/item-{rule}\", \"headers\": {{\"end-user\": \"user-{number}\"}}}}",
            rule % 97
        );
    }
    for shape in ["users", "paths", "mixed"] {
        let (old, some) = (
            many(shape, RULES, |_| 1),
            many(shape, RULES, |number| 1 + usize::from(number % 300 == 0)),
        );
        let all = many(shape, RULES, |_| 2);
        let directory = directory(&[
            ("old.json", &old),
            ("some.json", &some),
            ("all.json", &all),
            ("r.jsonl", &requests),
        ]);
        for (new, flags, found) in [
            ("some.json", &[][..], "10 classes of requests are treated differently\n"),
            ("all.json", &[], "3000 classes of requests are treated differently\n"),
            ("some.json", &["--requests", "r.jsonl"], " are treated differently\n"),
        ] {
            let begun = std::time::Instant::now();
            let outcome = switchyard(directory.path(), &[&["diff", "old.json", new], flags].concat(), "");
            assert_eq!(
                (outcome.status, outcome.stderr.as_str()),
                (1, ""),
                "a pipe gets no progress"
            );
            // Of paths some begin others, whose rules no request reaches.
            let found = if shape == "users" {
                found
            } else {
                " are treated differently\n"
            };
            assert!(outcome.stdout.ends_with(found), "{}", outcome.stdout);
            assert!(begun.elapsed().as_secs() < 20, "{shape} {new}: {:?}", begun.elapsed());
        }
    }
}

#[test]
fn gateways_are_compared_by_their_hosts_and_their_servers() {
    let edge = |servers: Value, rule: Value| {
        let object = |kind: &str, name: &str, spec: Value| json!({"apiVersion": "networking.istio.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec});
        let shop = json!({"hosts": ["www.shop.com"], "gateways": ["edge"], "http": [rule]});
        let items = [
            object("Gateway", "edge", json!({"servers": servers})),
            object("VirtualService", "shop", shop),
        ];
        json!({"kind": "List", "items": items}).to_string()
    };
    let http = json!({"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*.shop.com"]});
    let https = json!({"port": {"number": 443, "name": "https", "protocol": "HTTPS"}, "hosts": ["*.shop.com"],
                       "tls": {"mode": "SIMPLE", "credentialName": "shop"}});
    let to =
        |subset: &str| json!({"route": [{"destination": {"host": "shop", "subset": subset, "port": {"number": 80}}}]});
    let old = edge(json!([http]), to("v1"));
    let new = edge(json!([http, https]), to("v2"));
    let directory = directory(&[("old.json", &old), ("new.json", &new)]);
    let outcome = switchyard(directory.path(), &["diff", "old.json", "new.json"], "");
    assert_eq!((outcome.status, outcome.stderr.as_str()), (1, ""));
    assert_eq!(outcome.stdout, include_str!("diff/gateways.txt"));
    let nobodys = switchyard(
        directory.path(),
        &["diff", "old.json", "new.json", "--gateway", "edgee"],
        "",
    );
    let message = "error: no document names the gateway default/edgee; did you mean default/edge?\n";
    assert_eq!((nobodys.status, nobodys.stderr.as_str()), (2, message));
}
