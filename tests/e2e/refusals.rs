//! Every edge manifest that istiod refuses, pushed at a filter that serves.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use switchyard::plugin::Plugin;
use switchyard::yaml;

use crate::goldens::{Case, cases};
use crate::support::http::{Connection, get};
use crate::support::switchyard::Switchyard;
use crate::support::turn;
use crate::support::web::Web;

#[tokio::test]
async fn envoy_refuses_what_istiod_refuses_with_the_librarys_findings_and_serves_on() {
    let _turn = turn::alongside().await;
    let mut web = Web::with(&[]).await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/golden/invalid");
    let refused = |case: &Case| case.messages.iter().any(|message| message.get("error").is_some());
    let cases: Vec<Case> = cases(&folder).into_iter().filter(refused).collect();
    assert!(cases.len() > 60, "only {}", cases.len());
    let mut connection = Connection::open(web.address).await.unwrap();
    for (index, case) in cases.iter().enumerate() {
        let documents = yaml::documents(&case.input_yaml).into_iter();
        let resources: Vec<Value> = documents
            .map(|document| serde_json::to_value(document.unwrap()).unwrap())
            .collect();
        let plugin = json!({"resources": resources}).to_string();
        let findings = Plugin::load(plugin.as_bytes()).expect_err(&case.name);
        let before = web.switchyard.events("envoy").len();
        web.switchyard.push_wrong(&plugin).await;
        let findings = findings.iter().map(ToString::to_string).collect();
        says(&web.switchyard, before, &findings, &case.name).await;
        let answer = connection.send(get("web:8080", "/")).await;
        assert_eq!(answer.status, 200, "after {}", case.name);
        assert_eq!(web.v1.received().len(), index + 1, "after {}", case.name);
    }
    drop(connection);
    web.assert_unharmed().await;
}

/// Waits until Envoy's log has these findings and no others since it had `before` lines.
async fn says(switchyard: &Switchyard, before: usize, findings: &BTreeSet<String>, case: &str) {
    let begin = Instant::now();
    loop {
        let lines = switchyard.events("envoy").split_off(before);
        let messages = lines.iter().filter_map(|event| event["message"].as_str());
        let said = messages.filter_map(|message| {
            let at = ["Error ", "Warning ", "Info "]
                .iter()
                .find_map(|severity| message.find(severity))?;
            Some(message.get(at..)?.to_owned())
        });
        let said: BTreeSet<String> = said.collect();
        if said == *findings {
            return;
        }
        assert!(
            begin.elapsed() < Duration::from_secs(5),
            "{case}: {findings:#?}, but {said:#?}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
