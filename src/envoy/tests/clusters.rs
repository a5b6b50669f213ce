//! Clusters beyond what the goldens hold.

use super::*;

/// The one cluster of a ServiceEntry with these fields, under a policy.
fn cluster(entry: &str, policy: &str) -> Option<Value> {
    let text = format!(
        "
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: a}}
spec: {{hosts: [a.example.com], {entry}}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: a}}
spec: {{host: a.example.com, {policy}}}
"
    );
    clusters(&configuration(&text, r#"{"locality": "eu/a"}"#)).remove("outbound|80||a.example.com")
}

const HTTP: &str =
    "resolution: STATIC, ports: [{number: 80, name: x, protocol: HTTP}], endpoints: [{address: 10.0.0.1}]";

fn with_policy(policy: &str) -> Value {
    cluster(HTTP, &format!("trafficPolicy: {policy}")).unwrap()
}

fn http_options(cluster: &Value) -> Value {
    let options =
        &cluster["typed_extension_protocol_options"]["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"];
    let mut options = options.clone();
    if let Some(fields) = options.as_object_mut() {
        fields.remove("@type");
    }
    options
}

#[test]
fn an_upstream_is_spoken_to_as_its_port_says() {
    let options = |protocol: &str| http_options(&cluster(&HTTP.replace("HTTP", protocol), "").unwrap());
    let http2 = json!({"explicit_http_config": {"http2_protocol_options": {}}});
    assert_eq!(options("HTTP"), Value::Null);
    assert_eq!(options("HTTP2"), http2);
    assert_eq!(options("GRPC"), http2);
    let service = "
apiVersion: v1
kind: Service
metadata: {name: a}
spec:
  ports: [{port: 80}, {name: x, port: 81, appProtocol: kubernetes.io/h2c}, {name: grpc-web, port: 82}]
";
    let all = clusters(&configuration(service, "{}"));
    let options = |port: u16| http_options(&all[&format!("outbound|{port}||a.default.svc.cluster.local")]);
    let as_the_client =
        json!({"use_downstream_protocol_config": {"http_protocol_options": {}, "http2_protocol_options": {}}});
    assert_eq!(options(80), as_the_client);
    assert_eq!((options(81), options(82)), (http2.clone(), http2));
    // A browser speaks HTTP/2 to every gateway.
    let edge = r#"{"callers": [{"name": "web"}, {"name": "edge", "gateway": true}]}"#;
    let all = clusters(&configuration(service, edge));
    assert_eq!(
        http_options(&all["outbound|80||a.default.svc.cluster.local"]),
        Value::Null
    );
}

#[test]
fn a_rule_may_choose_the_upstreams_protocol() {
    let options = |http: &str| http_options(&with_policy(&format!("{{connectionPool: {{http: {http}}}}}")));
    assert_eq!(
        options("{h2UpgradePolicy: UPGRADE, maxConcurrentStreams: 7, http2KeepAlive: {interval: 10s, timeout: 2s}}"),
        json!({"explicit_http_config": {"http2_protocol_options":
            {"max_concurrent_streams": 7, "connection_keepalive": {"interval": "10s", "timeout": "2s"}}}})
    );
    assert!(
        options("{useClientProtocol: true}")
            .get("use_downstream_protocol_config")
            .is_some()
    );
    assert_eq!(options("{h2UpgradePolicy: DO_NOT_UPGRADE}"), Value::Null);
}

#[test]
fn connections_live_as_long_as_a_rule_says() {
    let cluster = with_policy(
        "{connectionPool: {tcp: {connectTimeout: 1.5s, maxConnectionDuration: 10m, idleTimeout: 5m, tcpKeepalive: {probes: 3, time: 2h, interval: 75s}}}}",
    );
    assert_eq!(cluster["connect_timeout"], "1.500s");
    assert_eq!(
        http_options(&cluster)["common_http_protocol_options"],
        json!({"max_connection_duration": "600s", "idle_timeout": "300s"})
    );
    assert_eq!(
        cluster["upstream_connection_options"],
        json!({"tcp_keepalive": {"keepalive_probes": 3, "keepalive_time": 7200, "keepalive_interval": 75}})
    );
    let both = with_policy("{connectionPool: {tcp: {idleTimeout: 5m}, http: {idleTimeout: 30s}}}");
    assert_eq!(
        http_options(&both)["common_http_protocol_options"]["idle_timeout"],
        "30s"
    );
}

#[test]
fn a_retry_budget_has_istios_defaults() {
    let budget = |text: &str| with_policy(text)["circuit_breakers"]["thresholds"][0]["retry_budget"].clone();
    assert_eq!(
        budget("{retryBudget: {}}"),
        json!({"budget_percent": {"value": 20}, "min_retry_concurrency": 3})
    );
    assert_eq!(
        budget("{retryBudget: {percent: 12.5, minRetryConcurrency: 9}}"),
        json!({"budget_percent": {"value": 12.5}, "min_retry_concurrency": 9})
    );
}

#[test]
fn only_named_statuses_count_where_a_rule_names_some() {
    let matcher = |codes: &str| {
        let policy = format!("{{outlierDetection: {{outlierDetectionHttpErrorCodes: {codes}}}}}");
        http_options(&with_policy(&policy))["outlier_detection"]["error_matcher"].clone()
    };
    let is = |code: &str| json!({"http_response_headers_match": {"headers": [{"name": ":status", "string_match": {"exact": code}}]}});
    assert_eq!(matcher("[503]"), is("503"));
    assert_eq!(
        matcher("[500, 503]"),
        json!({"or_match": {"rules": [is("500"), is("503")]}})
    );
}

#[test]
fn an_explicit_zero_turns_a_detector_off() {
    let detection =
        with_policy("{outlierDetection: {consecutive5xxErrors: 0, consecutiveGatewayErrors: 2, consecutiveErrors: 7}}");
    assert_eq!(
        detection["outlier_detection"],
        json!({"consecutive_5xx": 0, "enforcing_consecutive_5xx": 0, "consecutive_gateway_failure": 2,
               "enforcing_consecutive_gateway_failure": 100, "enforcing_success_rate": 0})
    );
}

#[test]
fn tls_is_from_files_and_asks_for_the_name_of_the_request() {
    let cluster = with_policy("{tls: {mode: MUTUAL, clientCertificate: /c, privateKey: /k, caCertificates: /ca}}");
    let context = &cluster["transport_socket"]["typed_config"];
    assert_eq!(context.get("sni"), None);
    assert_eq!(
        context["common_tls_context"]["tls_certificates"],
        json!([{"certificate_chain": {"filename": "/c"}, "private_key": {"filename": "/k"}}])
    );
    assert_eq!(
        context["common_tls_context"]["validation_context"],
        json!({"trusted_ca": {"filename": "/ca"}})
    );
    assert_eq!(
        http_options(&cluster)["upstream_http_protocol_options"],
        json!({"auto_sni": true, "auto_san_validation": true})
    );
}

#[test]
fn a_certificate_may_have_the_names_that_are_written_and_no_others() {
    let names = |entry: &str, tls: &str| {
        let cluster = cluster(entry, &format!("trafficPolicy: {{tls: {tls}}}")).unwrap();
        let validation = &cluster["transport_socket"]["typed_config"]["common_tls_context"]["validation_context"];
        validation["match_typed_subject_alt_names"].clone()
    };
    let is = |kind: &str, name: &str| json!({"san_type": kind, "matcher": {"exact": name}});
    assert_eq!(
        names(
            HTTP,
            "{mode: SIMPLE, subjectAltNames: [b.example.com, 'spiffe://x/y', 10.0.0.1]}"
        ),
        json!([
            is("DNS", "b.example.com"),
            is("URI", "spiffe://x/y"),
            is("IP_ADDRESS", "10.0.0.1")
        ])
    );
    let entry = format!("{HTTP}, subjectAltNames: [c.example.com]");
    assert_eq!(
        names(&entry, "{mode: SIMPLE, sni: d}"),
        json!([is("DNS", "c.example.com")])
    );
    assert_eq!(names(HTTP, "{mode: SIMPLE, insecureSkipVerify: true}"), Value::Null);
}

#[test]
fn without_a_certificate_of_its_own_a_caller_speaks_plain_text_to_istio() {
    let mutual = "{tls: {mode: ISTIO_MUTUAL}}";
    assert_eq!(with_policy(mutual).get("transport_socket"), None);
    assert_eq!(with_policy("{tls: {mode: DISABLE}}").get("transport_socket"), None);
    let proxied = with_policy("{proxyProtocol: {version: V2}}");
    let socket = &proxied["transport_socket"];
    assert_eq!(socket["name"], "envoy.transport_sockets.upstream_proxy_protocol");
    assert_eq!(
        socket["typed_config"]["transport_socket"]["name"],
        "envoy.transport_sockets.raw_buffer"
    );
    assert_eq!(socket["typed_config"]["config"], json!({"version": "V2"}));
}

#[test]
fn names_are_looked_up_and_addresses_are_not() {
    let entry = |resolution: &str, endpoints: &str| {
        let cluster = cluster(
            &format!(
                "resolution: {resolution}, ports: [{{number: 80, name: x, protocol: HTTP}}], endpoints: {endpoints}"
            ),
            "",
        )?;
        let kind = cluster
            .get("type")
            .or_else(|| cluster["cluster_type"].get("name"))
            .cloned();
        Some((
            kind.unwrap(),
            cluster["cluster_type"]["typed_config"]["all_addresses_in_single_endpoint"].clone(),
        ))
    };
    let dns = json!("envoy.clusters.dns");
    assert_eq!(
        entry("DNS", "[{address: b.example.com}]"),
        Some((dns.clone(), Value::Null))
    );
    assert_eq!(entry("DNS", "[]"), Some((dns.clone(), Value::Null)), "the host itself");
    assert_eq!(entry("NONE", "[]"), Some((dns.clone(), Value::Null)), "the host itself");
    assert_eq!(entry("DNS_ROUND_ROBIN", "[]"), Some((dns, json!(true))));
    assert_eq!(
        entry("DNS", "[{address: 10.0.0.1}]"),
        Some((json!("STATIC"), Value::Null))
    );
}

#[test]
fn a_subset_without_endpoints_is_there_unless_there_is_nothing_to_look_up() {
    let names = |resolution: &str| -> Vec<String> {
        let text = SERVICES.replace("resolution: STATIC", resolution);
        let rule = "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: r}\nspec: {host: reviews, subsets: [{name: v1, labels: {version: v1}}, {name: v9, labels: {version: v9}}]}\n";
        let all = clusters(&configuration(&format!("{text}{rule}"), "{}"));
        all.into_keys()
            .filter(|name| name.starts_with("outbound|9080"))
            .collect()
    };
    let host = "reviews.default.svc.cluster.local";
    let [base, v1, v9] = ["", "v1", "v9"].map(|subset| format!("outbound|9080|{subset}|{host}"));
    assert_eq!(names("resolution: STATIC"), [v1.clone(), v9, base.clone()]);
    assert_eq!(names("resolution: DNS"), [v1, base]);
}

#[test]
fn a_wildcard_host_is_looked_up_by_request() {
    let text = "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: a}\nspec: {hosts: ['*.example.com'], resolution: NONE, ports: [{number: 80, name: x, protocol: HTTP}]}\n";
    let cluster = &clusters(&configuration(text, "{}"))["outbound|80||*.example.com"];
    assert_eq!(cluster["cluster_type"]["name"], "envoy.clusters.dynamic_forward_proxy");
    assert_eq!(cluster["lb_policy"], "CLUSTER_PROVIDED");
    assert_eq!(cluster.get("load_assignment"), None);
}

#[test]
fn an_external_name_is_a_cluster_of_the_name_it_stands_for() {
    let text = "apiVersion: v1\nkind: Service\nmetadata: {name: alias}\nspec: {type: ExternalName, externalName: API.example.com, ports: [{name: http, port: 80}]}\n";
    let configuration = configuration(text, "{}");
    let cluster = &clusters(&configuration)["outbound|80||api.example.com"];
    let endpoint = &cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"];
    assert_eq!(
        endpoint["address"]["socket_address"],
        json!({"address": "api.example.com", "port_value": 80})
    );
    let all = listeners(&configuration);
    let routes = &connection_manager(&all["default_80"])["route_config"]["virtual_hosts"][0]["routes"];
    assert_eq!(
        by_name(routes)["default"]["route"]["cluster"],
        "outbound|80||api.example.com"
    );
}

#[test]
fn places_weigh_where_a_rule_gives_them_shares() {
    let entry = "resolution: STATIC, ports: [{number: 80, name: x, protocol: HTTP}], endpoints: [{address: 10.0.0.1, locality: eu/a}, {address: 10.0.0.2, locality: us/a}]";
    let weights = |setting: &str| {
        let cluster = cluster(
            entry,
            &format!("trafficPolicy: {{loadBalancer: {{simple: RANDOM, localityLbSetting: {setting}}}}}"),
        )
        .unwrap();
        let places = cluster["load_assignment"]["endpoints"].as_array().unwrap().iter();
        let weights: Vec<Value> = places.map(|place| place["load_balancing_weight"].clone()).collect();
        (
            weights,
            cluster["common_lb_config"].get("locality_weighted_lb_config").is_some(),
        )
    };
    let distribute = "distribute: [{from: eu/*, to: {'eu/*': 70, 'us/*': 30}}]";
    assert_eq!(
        weights(&format!("{{{distribute}}}")),
        (vec![json!(70), json!(30)], true)
    );
    assert_eq!(
        weights(&format!("{{enabled: false, {distribute}}}")),
        (vec![json!(1), json!(1)], false)
    );
}
