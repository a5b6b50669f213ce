use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Outcome, directory, switchyard};

const SHOP: &str = "\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews}
spec:
  hosts: [reviews]
  http:
  - name: canary
    match:
    - headers: {end-user: {exact: jason}}
    - uri: {regex: '/v[0-9]+/.*'}
    route:
    - destination: {host: reviews, subset: v2}
  - match:
    - uri: {prefix: /api/}
    rewrite: {uri: /}
    route:
    - destination: {host: reviews, subset: v1}
      weight: 90
      headers: {request: {add: {x-version: v1, x-client: '%DOWNSTREAM_REMOTE_ADDRESS%'}}}
    - destination: {host: reviews, subset: v3}
      weight: 10
    timeout: 2s
    retries: {attempts: 3, perTryTimeout: 500ms, retryOn: 5xx}
    fault:
      delay: {fixedDelay: 2s, percentage: {value: 10}}
      abort: {httpStatus: 503, percentage: {value: 0.5}}
    mirrors:
    - {destination: {host: reviews, subset: v2}, percentage: {value: 50}}
    headers: {response: {set: {x-by: switchyard}, remove: [server]}}
  - match: [{uri: {prefix: /old}, sourceLabels: {app: web}}]
    redirect: {uri: /new}
---
apiVersion: v1
kind: Service
metadata: {name: reviews}
spec: {ports: [{name: http, port: 9080}]}
";

fn explain(args: &[&str]) -> Outcome {
    let requests = "\
        {\"url\": \"reviews:9080/api/\", \"count\": 7}\n\n\
        {\"method\": \"GET\", \"authority\": \"reviews:9080\", \"path\": \"/v1/x\", \"user_agent\": \"x\"}\n\
        {\"url\": \"reviews:9080/zzz\", \"headers\": {\"end-user\": \"bob\"}}\n\
        {\"url\": \"ratings:9080/\"}\n";
    let files = [
        ("shop.yaml", SHOP),
        ("wrong.yaml", "kind: VirtualService\n"),
        ("broken.yaml", "a: ["),
        ("r.jsonl", requests),
        ("empty.jsonl", "\n"),
        ("bad.jsonl", "{\"url\": \"a\"}\n[]\n"),
        ("hostless.jsonl", "{\"path\": \"/\"}\n"),
    ];
    let directory = directory(&files);
    switchyard(directory.path(), &[&["explain"], args].concat(), "")
}

fn shop(args: &[&str]) -> String {
    let outcome = explain(&[&["-f", "shop.yaml"], args].concat());
    assert_eq!((outcome.status, outcome.stderr.as_str()), (0, ""));
    outcome.stdout
}

#[test]
fn each_rule_before_says_why_not_and_the_taker_what_it_does() {
    assert_eq!(
        shop(&["reviews:9080/api/books?x=1", "-H", "end-user: bob", "--seed", "3"]),
        "\
GET http://reviews:9080/api/books?x=1
end-user: bob

to reviews.default.svc.cluster.local:
  no        default/reviews http[0].match[0] \"canary\"  shop.yaml:9
            header end-user is bob, and has to be jason
  no        default/reviews http[0].match[1] \"canary\"  shop.yaml:10
            path is /api/books, and has to match /v[0-9]+/.*, as /v0/ would
  yes       default/reviews http[1].match[0]  shop.yaml:14

  delay     2000 ms, 10 % of requests
  abort     503, 0.5 % of requests
  to         90 % v1  outbound|9080|v1|reviews.default.svc.cluster.local
  to         10 % v3  outbound|9080|v3|reviews.default.svc.cluster.local
  path      /books?x=1
  request   v1 + x-client: %DOWNSTREAM_REMOTE_ADDRESS%
  request   v1 + x-version: v1
  response  - server
  response  = x-by: switchyard
  timeout   2000 ms
  retries   3 on 5xx, 500 ms each
  copy to   outbound|9080|v2|reviews.default.svc.cluster.local, 50 % of requests

  drawn     waits 2000 ms, goes to outbound|9080|v3|reviews.default.svc.cluster.local
"
    );
}

#[test]
fn who_calls_decides_as_well() {
    let from = |args: &[&str]| shop(&[&["POST", "http://reviews:9080/old/x"], args].concat());
    assert!(from(&["--from", "app=web,ns=default"]).ends_with(
        "  yes       default/reviews http[2].match[0]  shop.yaml:30\n\n  answer    301, by the filter\n            location: http://reviews:9080/new\n"
    ));
    assert!(from(&["--from", "app=api"]).ends_with("\n  404       no rule of the host takes it\n"));
    assert!(from(&["--from", "app=web", "--gateway", "edge"]).contains("untouched no VirtualService has its host"));
    assert!(from(&["--from", "app=web", "--port", "81"]).contains("untouched no VirtualService has its host"));
}

#[test]
fn a_path_is_read_as_envoy_hands_it_on() {
    assert!(
        shop(&["http://reviews:9080/x/../v1/%41"])
            .starts_with("GET http://reviews:9080/x/../v1/%41\nEnvoy makes the path /v1/A\n")
    );
}

#[test]
fn machines_get_json() {
    let json: Value =
        serde_json::from_str(&shop(&["-X", "GET", "reviews:9080/api/", "--seed", "3", "-o", "json"])).unwrap();
    assert_eq!((&json["verdict"], &json["port"]), (&"routed".into(), &9080.into()));
    assert_eq!(
        json["rule"],
        serde_json::json!({"virtualService": "default/reviews", "http": 1, "match": 0})
    );
    assert_eq!(json["passedOver"][0]["condition"], "headers.end-user");
    assert_eq!(
        json["passedOver"][0]["change"],
        serde_json::json!({"header": ["end-user", "jason"]})
    );
    assert_eq!(json["upstream"]["destinations"][1]["probability"], 0.1);
    assert_eq!(json["drawn"]["delayMilliseconds"], 2000);
    let json: Value = serde_json::from_str(&shop(&["ratings:9080/", "-o", "json"])).unwrap();
    assert_eq!(
        (&json["verdict"], &json["because"]),
        (&"untouched".into(), &"noVirtualService".into())
    );
}

#[test]
fn one_line_is_what_a_running_filter_answers() {
    assert_eq!(
        shop(&["reviews:9080/api/", "--seed", "3", "-o", "short"]),
        "by default/reviews http[1].match[0]; delayed 2000 ms; to outbound|9080|v3|reviews.default.svc.cluster.local, \
         drawn 98 of 100, weight 10; not default/reviews http[0].match[1]: path is /api/, and has to match /v[0-9]+/.*; \
         not default/reviews http[0].match[0]: header end-user is missing, and has to be jason\n"
    );
}

#[test]
fn an_answer_takes_below_50_milliseconds() {
    let took = || {
        let begun = Instant::now();
        shop(&["reviews:9080/api/"]);
        begun.elapsed()
    };
    // Other tests run at the same time.
    let best = (0..10).map(|_| took()).min().unwrap();
    assert!(best < Duration::from_millis(50), "{best:?}");
}

#[test]
fn requests_are_counted_by_rule_and_destination() {
    assert_eq!(
        shop(&["--requests", "r.jsonl"]),
        "\
requests  share  rule                                                      to
       7   70 %  default/reviews http[1].match[0] (shop.yaml:14)           v1 90 %, v3 10 %
       1   10 %  default/reviews http[0].match[1] \"canary\" (shop.yaml:10)  v2 100 %
       1   10 %  404: no rule of reviews.default.svc.cluster.local
       1   10 %  untouched: no VirtualService

rules that no request reached:
  default/reviews http[0].match[0] \"canary\" (shop.yaml:9)
"
    );
    let json: Value = serde_json::from_str(&shop(&["--requests", "r.jsonl", "-o", "json"])).unwrap();
    assert_eq!(json["rules"].as_array().unwrap().len(), 4);
    assert_eq!(json["unreached"][0]["match"], 0);
}

#[test]
fn refused_documents_have_their_findings_and_status_1() {
    let outcome = explain(&["-f", "wrong.yaml", "reviews/"]);
    assert_eq!((outcome.status, outcome.stdout.as_str()), (1, ""));
    assert!(
        outcome
            .stderr
            .starts_with("wrong.yaml:1:1: error: VirtualService default/ apiVersion"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn what_cannot_be_read_is_one_message_and_status_2() {
    for (args, message) in [
        (vec!["-f", "none.yaml", "a/"], "error: none.yaml: No such file"),
        (
            vec!["-f", "shop.yaml", "a/b c"],
            "error: a/b c: is no URL: invalid uri character",
        ),
        (
            vec!["-f", "shop.yaml", "ftp://a/"],
            "error: ftp://a/: is no URL: the scheme is http or https, not ftp",
        ),
        (
            vec!["-f", "shop.yaml", "a/", "GET"],
            "error: `a/` is no method; the order is METHOD URL, as in GET GET",
        ),
        (
            vec!["-f", "shop.yaml", "a/%00"],
            "error: GET http://a/%00: Envoy answers 400 before any filter",
        ),
        (
            vec!["-f", "shop.yaml", "a/", "-H", "nothing"],
            "error: invalid value 'nothing' for '--header <'NAME: VALUE'>': write it as 'name: value'",
        ),
        (
            vec!["-f", "shop.yaml", "a/", "--from", "web"],
            "error: invalid value 'web' for '--from <LABELS>': `web` is no label",
        ),
        (
            vec!["-f", "shop.yaml"],
            "error: the following required arguments were not provided",
        ),
        (
            vec!["-f", "shop.yaml", "--requests", "empty.jsonl"],
            "error: empty.jsonl: holds no request",
        ),
        (
            vec!["-f", "shop.yaml", "--requests", "bad.jsonl"],
            "error: bad.jsonl:2: is no JSON object",
        ),
        (
            vec!["-f", "shop.yaml", "--requests", "hostless.jsonl"],
            "error: hostless.jsonl:1: has neither url nor authority",
        ),
        (
            vec!["-f", "shop.yaml", "--requests", "r.jsonl", "a/"],
            "error: the argument '--requests <FILE>' cannot be used with",
        ),
    ] {
        let outcome = explain(&args);
        assert!(outcome.stderr.starts_with(message), "{args:?}: {}", outcome.stderr);
        assert_eq!((outcome.status, outcome.stdout.as_str()), (2, ""), "{args:?}");
    }
    let outcome = explain(&["-f", "broken.yaml", "a/"]);
    assert_eq!(
        (outcome.status, outcome.stderr.as_str()),
        (
            2,
            "broken.yaml:1:4: error: is not YAML: unclosed bracket '['\nerror: a document could not be read\n"
        )
    );
}
