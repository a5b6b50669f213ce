//! Wrong manifests among right ones.

use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::sleep;

use super::instance::Instance;
use super::stage::until;
use crate::support::http::get;
use crate::support::manifest::{service, virtual_service};
use crate::support::ports::Port;
use crate::support::switchyard::Switchyard;
use crate::support::turn;

/// A service with a rule, and one more like it for each number below this.
const ALL: usize = 20;

struct Twenty {
    switchyard: Switchyard,
    instance: Instance,
    port: Port,
}

impl Twenty {
    /// With a rule that is wrong among them.
    async fn start(wrong: usize) -> Self {
        let instance = Instance::start("v1").await;
        let port = Port::reserve();
        let file = |number: usize| {
            let mut text = manifest(number, "old", &instance, &port);
            if number == wrong {
                text = text.replace("hosts:", "hots:");
            }
            (name(number), text)
        };
        let files: Vec<(String, String)> = (0..ALL).map(file).collect();
        let manifests = files.iter().map(|(name, text)| (name.as_str(), text));
        let switchyard =
            Switchyard::with(r#"{"callers": [{"name": "client"}]}"#, manifests, &["--concurrency=1"]).await;
        Self {
            switchyard,
            instance,
            port,
        }
    }

    fn write(&self, number: usize, version: &str, change: impl Fn(String) -> String) {
        let text = manifest(number, version, &self.instance, &self.port);
        self.switchyard.write(&name(number), &change(text));
    }

    /// The version of each service's rule, empty where it has none.
    async fn versions(&self) -> Vec<String> {
        let mut versions = Vec::new();
        for number in 0..ALL {
            let answer = get(&format!("s{number}"), "/").send(self.port.address()).await;
            assert_eq!((answer.status.as_u16(), answer.text()), (200, "v1"), "s{number}");
            versions.push(answer.header("x-version").to_owned());
        }
        versions
    }

    /// Waits until these and no others are told to be refused, and whether each of them is kept.
    async fn refuses(&self, wanted: Value) {
        let begin = Instant::now();
        loop {
            let live = self.switchyard.events("live").pop().unwrap();
            let short = |refusal: &Value| {
                let file = refusal["file"].as_str().unwrap().rsplit_once('/').unwrap().1;
                json!([file, refusal["object"], refusal["kept"]])
            };
            let refused: Value = live["refused"].as_array().unwrap().iter().map(short).collect();
            if refused == wanted {
                return;
            }
            assert!(begin.elapsed() < Duration::from_secs(5), "{refused} and not {wanted}");
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// What was said of a file so far.
    fn findings(&self, number: usize) -> Vec<Value> {
        let mut findings = self.switchyard.events("finding");
        findings.retain(|finding| {
            finding["place"]["file"]
                .as_str()
                .is_some_and(|file| file.ends_with(&name(number)))
        });
        findings
    }
}

fn name(number: usize) -> String {
    format!("{number:02}.yaml")
}

fn manifest(number: usize, version: &str, instance: &Instance, port: &Port) -> String {
    let host = format!("s{number}");
    let rule = format!(
        "{{headers: {{response: {{set: {{x-version: {version}}}}}}}, route: [{{destination: {{host: {host}}}}}]}}"
    );
    let service = service(&host, port.address().port(), &[("v1", instance.address)]);
    [service, virtual_service(&host, &[rule])].join("---\n")
}

#[tokio::test]
async fn a_wrong_manifest_among_twenty_is_refused_alone() {
    let _turn = turn::alongside().await;
    let twenty = Twenty::start(7).await;
    // At the start there is nothing in its place; it is named, with what is wrong and where.
    twenty
        .refuses(json!([["07.yaml", "VirtualService default/s7", false]]))
        .await;
    let mut versions = vec!["old"; ALL];
    versions[7] = "";
    assert_eq!(twenty.versions().await, versions);
    let finding = twenty.findings(7).remove(0);
    assert_eq!(
        (&finding["severity"], &finding["object"], &finding["path"]),
        (&json!("error"), &json!("VirtualService default/s7"), &json!("hots"))
    );
    let line = manifest(7, "old", &twenty.instance, &twenty.port);
    let line = 1 + line.lines().position(|line| line.contains("hosts:")).unwrap();
    assert_eq!(finding["place"]["line"], line);

    // It becomes right.
    twenty.write(7, "new", |text| text);
    twenty.refuses(json!([])).await;
    versions[7] = "new";
    assert_eq!(twenty.versions().await, versions);

    // Two others become wrong, one of them no YAML at all, while a third changes: that one applies.
    twenty.write(3, "new", |text| text.replace("http:\n", "http: [\n"));
    twenty.write(4, "new", |text| text.replace("route:", "timeout: soon, route:"));
    twenty.write(5, "new", |text| text);
    twenty
        .refuses(json!([
            ["03.yaml", null, true],
            ["04.yaml", "VirtualService default/s4", true]
        ]))
        .await;
    versions[5] = "new";
    assert_eq!(twenty.versions().await, versions);
    assert_eq!(
        (
            twenty.findings(3).len(),
            twenty.findings(4).len(),
            twenty.findings(5).len()
        ),
        (1, 1, 0)
    );

    // One is emptied, one is taken away, one cannot be read, and one of those before is right again.
    twenty.write(8, "new", |_| String::new());
    let manifests = twenty.switchyard.manifests();
    std::fs::remove_file(manifests.join(name(9))).unwrap();
    let itself = manifests.join(name(10));
    std::fs::remove_file(&itself).unwrap();
    symlink(&itself, &itself).unwrap();
    twenty.write(3, "new", |text| text);
    let kept = |number: usize| json!([name(number), null, true]);
    twenty
        .refuses(json!([
            kept(8),
            kept(10),
            ["04.yaml", "VirtualService default/s4", true]
        ]))
        .await;
    versions[3] = "new";
    let answer = get("s9", "/").send(twenty.port.address()).await;
    assert_eq!(answer.status, 404);
    let changes = twenty.switchyard.events("live").len();
    twenty.write(9, "new", |text| text);
    until("is it live", || twenty.switchyard.events("live").len() > changes).await;
    versions[9] = "new";
    assert_eq!(twenty.versions().await, versions);
    assert!(twenty.switchyard.events("envoy-ended").is_empty());
}
