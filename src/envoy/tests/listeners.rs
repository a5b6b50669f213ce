//! Where Envoy listens, and what the filter gets there.

use super::routes::virtual_hosts;
use super::*;

#[test]
fn a_caller_has_a_listener_for_each_port_that_may_be_http() {
    let all = listeners(&configuration(
        SERVICES,
        r#"{"callers": [{"name": "web", "address": "127.0.0.2"}]}"#,
    ));
    let addresses: Vec<_> = all
        .iter()
        .map(|(name, listener)| format!("{name} {}", address(listener)))
        .collect();
    assert_eq!(addresses, ["web_80 127.0.0.2:10080", "web_9080 127.0.0.2:9080"]);
    let one = r#"{"callers": [{"name": "web", "ports": [{"number": 9080, "listen": 15001}]}]}"#;
    assert_eq!(
        address(&listeners(&configuration(SERVICES, one))["web_9080"]),
        "127.0.0.1:15001"
    );
}

#[test]
fn a_wildcard_for_everything_is_the_virtual_host_for_everything() {
    let text =
        virtual_service("{hosts: ['*'], gateways: [mesh, x], http: [{route: [{destination: {host: reviews}}]}]}");
    let text = text.replace("gateways: [mesh, x], ", "gateways: [gw], ");
    let callers = r#"{"callers": [{"name": "edge", "gateway": true}]}"#;
    let gateway = "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: gw}\nspec:\n  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]\n";
    let all = listeners(&configuration(&(text + gateway), callers));
    assert_eq!(address(&all["edge_80"]), "127.0.0.1:20080");
    assert_eq!(virtual_hosts(&all["edge_80"]).keys().collect::<Vec<_>>(), ["*"]);
    assert_eq!(connection_manager(&all["edge_80"])["use_remote_address"], true);
}

#[test]
fn decisions_are_left_for_an_access_log_where_there_is_one() {
    let said = |callers: &str| {
        let configuration = configuration(SERVICES, callers);
        let plugin = configuration.plugins()["default_9080"].to_owned();
        serde_json::from_str::<Value>(&plugin).unwrap()["options"]["filterState"].take()
    };
    assert_eq!(said("{}"), Value::Null);
    assert_eq!(said(r#"{"accessLog": ""}"#), false);
    assert_eq!(said(r#"{"accessLog": "", "options": {"filterState": true}}"#), true);
}

#[test]
fn the_filter_gets_the_documents_as_they_are_and_who_the_proxy_is() {
    let text = virtual_service("{hosts: [reviews], http: [{route: [{destination: {host: reviews}}]}]}");
    let pod = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{env: [{name: SECRET, value: s3cret}]}]}\n";
    let callers = r#"{"options": {"shadowHostSuffix": false}, "callers": [{"name": "web", "namespace": "shop", "labels": {"app": "web"}, "ports": [{"number": 9080}]}]}"#;
    let configuration = configuration(&(text + pod), callers);
    let plugins = configuration.plugins();
    let plugin: Value = serde_json::from_str(plugins["web_9080"]).unwrap();
    assert_eq!(
        plugin["proxy"],
        json!({"namespace": "shop", "domain": "cluster.local", "labels": {"app": "web"}, "gateways": ["mesh"], "port": 9080})
    );
    assert_eq!(plugin["options"], json!({"shadowHostSuffix": false}));
    let kinds: Vec<&Value> = plugin["resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|object| &object["kind"])
        .collect();
    assert_eq!(kinds, ["ServiceEntry", "VirtualService"]);
    let all = listeners(&configuration);
    let wasm = &connection_manager(&all["web_9080"])["http_filters"][0]["typed_config"]["config"];
    assert_eq!(wasm["configuration"]["value"].as_str().unwrap(), plugins["web_9080"]);
    assert_eq!(wasm["failure_policy"], "FAIL_RELOAD");
    let allowed = &wasm["capability_restriction_config"]["allowed_capabilities"];
    assert!(allowed.get("proxy_on_delete").is_some() && allowed.get("proxy_on_request_body").is_none());
}

#[test]
fn endpoints_have_files_of_their_own_unless_too_many_would_be_watched() {
    let mut configuration = configuration(SERVICES, "{}");
    let directory = Path::new("/run");
    let apart = configuration.snapshot(directory);
    // Two clusters, and a route configuration and a filter for each of two listeners, besides CDS and LDS.
    assert_eq!((apart.endpoints.len(), apart.subscriptions()), (2, 8));
    let cluster = &apart.clusters["outbound|9080||reviews.default.svc.cluster.local"];
    assert_eq!(
        (&cluster["type"], cluster.get("load_assignment")),
        (&json!("EDS"), None)
    );
    assert_eq!(cluster["@type"], "type.googleapis.com/envoy.config.cluster.v3.Cluster");
    let listener = &connection_manager(&apart.listeners["default_9080"])["rds"];
    assert_eq!(
        listener["config_source"]["path_config_source"]["path"],
        "/run/routes/default_9080.json"
    );
    configuration.settings.max_subscriptions = 7;
    let inline = configuration.snapshot(directory);
    assert!(inline.endpoints.is_empty() && inline.subscriptions() == 6);
    assert_eq!(
        inline.clusters["outbound|9080||reviews.default.svc.cluster.local"]["type"],
        "STATIC"
    );
    assert_eq!(inline.routes, apart.routes);
}

#[test]
fn the_same_input_makes_the_same_output() {
    let text =
        virtual_service("{hosts: [reviews, a.b, c.d, '*.e.f'], http: [{route: [{destination: {host: reviews}}]}]}");
    let one = configuration(&text, "{}").bootstrap().to_string();
    assert_eq!(configuration(&text, "{}").bootstrap().to_string(), one);
}

#[test]
fn the_filter_is_left_alone_by_endpoints_and_by_policies_that_do_not_hash() {
    let rule = "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: r}\nspec: {host: reviews, trafficPolicy: POLICY}\n---\n";
    let route = virtual_service("{hosts: [reviews], http: [{route: [{destination: {host: reviews}}]}]}");
    let given = |services: &str, policy: &str| {
        let text = [services, &rule.replace("POLICY", policy), &route].concat();
        let configuration = configuration(&text, "{}");
        let plugins = configuration.plugins().into_values().map(str::to_owned);
        plugins.collect::<Vec<String>>()
    };
    let simple = "{loadBalancer: {simple: RANDOM}}";
    let before = given(SERVICES, simple);
    assert_eq!(given(&SERVICES.replace("10.0.0.1", "10.0.0.9"), simple), before);
    assert_eq!(given(SERVICES, "{connectionPool: {tcp: {maxConnections: 1}}}"), before);
    assert_ne!(given(&SERVICES.replace("number: 80,", "number: 81,"), simple), before);
    let hash = "{loadBalancer: {consistentHash: {httpHeaderName: x}}}";
    let hashed = given(SERVICES, hash);
    assert!(hashed.iter().all(|plugin| plugin.contains("httpHeaderName")));
    assert_ne!(given(SERVICES, &hash.replace(": x", ": y")), hashed);
    // Where names are looked up, endpoints may be what makes a host one that can be.
    let looked_up = SERVICES
        .replace("STATIC", "DNS")
        .replace("reviews.default.svc.cluster.local", "'*.example.com'");
    let looked_up = given(&looked_up, simple);
    assert!(
        looked_up
            .iter()
            .all(|plugin| crate::plugin::Plugin::load(plugin.as_bytes()).is_ok())
    );
}
