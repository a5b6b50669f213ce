//! What no route depends on.

use super::instance::Instance;
use super::stage::until;
use crate::support::http::get;
use crate::support::manifest::virtual_service;
use crate::support::ports::Port;
use crate::support::switchyard::Switchyard;
use crate::support::turn;

#[tokio::test]
async fn endpoints_and_policies_change_and_the_filter_does_not_load_anything() {
    let _turn = turn::alongside().await;
    let (old, new) = (Instance::start("old").await, Instance::start("new").await);
    let port = Port::reserve();
    let entry = |instance: &Instance, connections: usize| {
        format!(
            "\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: s}}
spec:
  hosts: [s.default.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{{number: {}, name: http, protocol: HTTP}}]
  endpoints: [{{address: {}, ports: {{http: {}}}}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: s}}
spec: {{host: s, trafficPolicy: {{connectionPool: {{tcp: {{maxConnections: {connections}}}}}}}}}
",
            port.address().port(),
            instance.address.ip(),
            instance.address.port()
        )
    };
    let rule = |header: &str| {
        virtual_service(
            "s",
            &[format!(
                "{{headers: {{response: {{set: {{x-rule: {header}}}}}}}, route: [{{destination: {{host: s}}}}]}}"
            )],
        )
    };
    let (first, rules) = (entry(&old, 7), rule("a"));
    let files = [("services.yaml", &first), ("rules.yaml", &rules)];
    let switchyard = &Switchyard::with(r#"{"callers": [{"name": "client"}]}"#, files, &["--concurrency=1"]).await;
    let loads = || async {
        let stats = switchyard.admin.stats_of("config_reload").await;
        stats.sum("extension_config_discovery.", ".config_reload")
    };
    let answered = || async {
        let answer = get("s", "/").send(port.address()).await;
        (answer.text().to_owned(), answer.header("x-rule").to_owned())
    };
    assert_eq!(answered().await, ("old".to_owned(), "a".to_owned()));
    let before = loads().await;
    let change = |name, text: &str| {
        let changes = switchyard.events("live").len();
        switchyard.write(name, text);
        until("is it live", move || switchyard.events("live").len() > changes)
    };
    change("services.yaml", &entry(&new, 8)).await;
    assert_eq!(answered().await, ("new".to_owned(), "a".to_owned()));
    assert_eq!(loads().await, before);
    change("rules.yaml", &rule("b")).await;
    assert_eq!(answered().await, ("new".to_owned(), "b".to_owned()));
    assert_eq!(loads().await, before + 1);
}
