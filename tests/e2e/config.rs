//! Configurations: right ones that change, and wrong ones.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::http::{Connection, get};
use crate::support::manifest::{virtual_service, yaml};
use crate::support::turn;
use crate::support::web::Web;

const FIVE_FAULTS: &str = "\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web}
spec:
  hosts: [web]
  http:
  - match: [{uri: {prefx: /}}]
    route: [{destination: {host: web, subset: v2}}]
  - fault: {abort: {percentage: {value: 101}, httpStatus: 500}}
    route: [{destination: {host: web, subset: v2}}]
  - timeout: half a second
    route: [{destination: {host: web, subset: v2}}]
  - route:
    - {destination: {host: web, subset: v1}, weight: -1}
    - {destination: {host: web, subset: v2}, weight: 2}
  - match: [{headers: {end-user: {regex: '('}}}]
    route: [{destination: {host: web, subset: v2}}]
";
/// Where they are.
const PATHS: [&str; 5] = [
    "http[0].match[0].uri.prefx",
    "http[1].fault.abort.percentage",
    "http[2].timeout",
    "http[3].route[0].weight",
    "http[4].match[0].headers.end-user.regex",
];

fn assert_five(paths: &[&str]) {
    let mut sorted = paths.to_vec();
    sorted.sort_unstable();
    let found = sorted.len() == 5 && sorted.iter().zip(PATHS).all(|(path, fault)| path.starts_with(fault));
    assert!(found, "{paths:#?}");
}

/// What stands between the object and the sentence of a finding.
fn path(line: &str) -> Option<&str> {
    Some(line.split_once("VirtualService default/web ")?.1.split_once(": ")?.0)
}

#[test]
fn five_faults_in_one_document_are_five_findings_with_paths() {
    let file = tempfile::NamedTempFile::with_suffix(".yaml").unwrap();
    std::fs::write(file.path(), FIVE_FAULTS).unwrap();
    let command = [
        env!("CARGO_BIN_EXE_switchyard"),
        "plugin-config",
        "-f",
        file.path().to_str().unwrap(),
    ];
    let Output { status, stdout, stderr } = Command::new(command[0]).args(&command[1..]).output().unwrap();
    let said = String::from_utf8(stderr).unwrap();
    assert_eq!((status.code(), stdout.len()), (Some(1), 0), "{said}");
    let errors = said.lines().filter(|line| line.contains(": error"));
    let paths: Vec<&str> = errors.filter_map(path).collect();
    assert_five(&paths);
}

#[tokio::test]
async fn envoy_refuses_five_faults_with_their_paths_and_keeps_serving() {
    let _turn = turn::alongside().await;
    let mut web = Web::with(&[]).await;
    let resource = yaml(FIVE_FAULTS);
    web.switchyard
        .push_wrong(&json!({"resources": [resource]}).to_string())
        .await;
    for _ in 0..10 {
        let answer = get("web:8080", "/")
            .header("end-user", "anyone")
            .send(web.address)
            .await;
        assert_eq!(answer.status, 200);
    }
    assert_eq!((web.v1.received().len(), web.v2.received().len()), (10, 0));
    // The filter says so on each thread that tries it, in Envoy's own log.
    let said: Vec<Value> = web.switchyard.events("envoy");
    let messages = said.iter().filter_map(|event| event["message"].as_str());
    let errors = messages.filter(|message| message.contains(": Error"));
    let mut paths: Vec<&str> = errors.filter_map(path).collect();
    paths.sort_unstable();
    paths.dedup();
    assert_five(&paths);
    web.assert_unharmed().await;
}

#[tokio::test]
async fn a_wrong_document_is_refused_alone_and_its_last_good_version_serves() {
    let _turn = turn::alongside().await;
    let mut web = Web::with(&[]).await;
    web.switchyard.put(FIVE_FAULTS);
    let begin = Instant::now();
    while web.switchyard.events("live").len() < 2 {
        assert!(begin.elapsed() < Duration::from_secs(5), "it is not told");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let findings = web.switchyard.events("finding");
    let errors = findings.iter().filter(|finding| finding["severity"] == "error");
    let paths: Vec<&str> = errors.filter_map(|finding| finding["path"].as_str()).collect();
    assert_five(&paths);
    let live = web.switchyard.events("live").remove(1);
    assert_eq!(
        (&live["change"], &live["refused"][0]["kept"]),
        (&json!(1), &json!(true)),
        "{live}"
    );
    assert_eq!(get("web:8080", "/").send(web.address).await.status, 200);
    assert_eq!(web.v1.received().len(), 1);
    web.switchyard
        .apply(&virtual_service(
            "web",
            &["{route: [{destination: {host: web, subset: v2}}]}"],
        ))
        .await;
    assert_eq!(get("web:8080", "/").send(web.address).await.status, 200);
    assert_eq!(web.v2.received().len(), 1);
    web.assert_unharmed().await;
}

#[tokio::test]
async fn a_changed_manifest_takes_effect_within_a_second_and_without_a_restart() {
    let _turn = turn::alongside().await;
    let mut web = Web::with(&[]).await;
    let before = web.switchyard.envoy();
    // One connection through all of it: it is not closed either.
    let mut connection = Connection::open(web.address).await.unwrap();
    for version in ["v2", "v1", "v2"] {
        let rule = format!(
            "{{headers: {{response: {{set: {{x-version: {version}}}}}}}, \
            route: [{{destination: {{host: web, subset: {version}}}}}]}}"
        );
        web.switchyard.put(&virtual_service("web", &[&rule]));
        let begin = Instant::now();
        loop {
            let answer = connection.send(get("web:8080", "/")).await;
            assert_eq!(answer.status, 200);
            if answer.header("x-version") == version {
                break;
            }
            assert!(
                begin.elapsed() < Duration::from_secs(1),
                "{version} is not in effect after {:?}",
                begin.elapsed()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        println!("in effect after {:?}", begin.elapsed());
    }
    assert_eq!(web.switchyard.envoy(), before);
    web.assert_unharmed().await;
}

#[tokio::test]
async fn requests_of_a_match_with_a_stat_prefix_are_counted_apart() {
    let _turn = turn::alongside().await;
    let web = Web::with(&[
        "{name: apart, match: [{uri: {prefix: /a}, statPrefix: alpha}, {uri: {prefix: /b}}], \
        route: [{destination: {host: web, subset: v1}}]}",
    ])
    .await;
    for path in ["/a", "/a", "/b"] {
        assert_eq!(get("web:8080", path).send(web.address).await.status, 200);
    }
    let statistics = web
        .switchyard
        .admin
        .get("/stats/prometheus?filter=switchyard_requests")
        .await;
    let of_rule = statistics
        .text()
        .lines()
        .filter(|line| line.contains("route=\"apart\""));
    let (with, without): (Vec<&str>, Vec<&str>) = of_rule.partition(|line| line.contains("stat_prefix=\"alpha\""));
    let is = |lines: &[&str], count: &str| matches!(lines, [line] if line.ends_with(count));
    assert!(is(&with, " 2") && is(&without, " 1"), "{with:?} {without:?}");
}
