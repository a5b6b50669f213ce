//! The routes that istiod makes of a configuration: the native side of every comparison.
//!
//! As far as the shapes go, `TranslateRoute` and `BuildSidecarVirtualHostWrapper` in istio `pilot/pkg/networking/core`; equal to what
//! istiod itself made of the published shapes (a test, where those are there).

use serde_json::{Map, Value, json};

/// The `RouteConfiguration` for port 9080 of a sidecar in namespace `default`.
pub fn route_configuration(resources: &[Value]) -> Value {
    let of_kind = |kind: &'static str| resources.iter().filter(move |object| object["kind"] == kind);
    let mut virtual_hosts = Vec::new();
    for entry in of_kind("ServiceEntry") {
        let ports = entry["spec"]["ports"].as_array().into_iter().flatten();
        let host = text(&entry["spec"]["hosts"][0]);
        if ports.clone().all(|port| port["number"] != 9080) {
            continue;
        }
        let namespace = text(&entry["metadata"]["namespace"]);
        let owner = of_kind("VirtualService").find(|object| is_for(object, host));
        let routes = match owner {
            Some(object) => routes(object),
            None => vec![named_default(host)],
        };
        virtual_hosts.push(json!({
            "name": format!("{host}:9080"),
            "domains": domains(host, namespace),
            "routes": routes,
            "include_request_attempt_count": true,
        }));
    }
    virtual_hosts.sort_by(|a, b| text(&a["name"]).cmp(text(&b["name"])));
    virtual_hosts.push(json!({
        "name": "allow_any",
        "domains": ["*"],
        "routes": [{
            "name": "allow_any",
            "match": {"prefix": "/"},
            "route": {"cluster": "PassthroughCluster", "timeout": "0s", "max_grpc_timeout": "0s"},
        }],
        "include_request_attempt_count": true,
    }));
    json!({
        "name": "9080",
        "virtual_hosts": virtual_hosts,
        "validate_clusters": false,
        "max_direct_response_body_size_bytes": 1_048_576,
        "ignore_port_in_host_matching": true,
    })
}

fn is_for(virtual_service: &Value, host: &str) -> bool {
    let short = text(&virtual_service["spec"]["hosts"][0]);
    host == format!("{short}.default.svc.cluster.local")
}

fn domains(host: &str, namespace: &str) -> Vec<String> {
    let mut domains = vec![host.to_owned(), format!("{host}.")];
    let Some(rest) = host.strip_suffix(".svc.cluster.local") else {
        return domains;
    };
    let short = rest.split('.').next().unwrap_or_default();
    match namespace {
        "default" => domains.extend([short.to_owned(), format!("{rest}.svc"), rest.to_owned()]),
        _ => domains.extend([rest.to_owned(), format!("{rest}.svc")]),
    }
    domains
}

fn routes(virtual_service: &Value) -> Vec<Value> {
    let name = text(&virtual_service["metadata"]["name"]);
    let config = format!("/apis/networking.istio.io/v1/namespaces/default/virtual-service/{name}");
    let mut routes = Vec::new();
    for rule in virtual_service["spec"]["http"].as_array().into_iter().flatten() {
        let route = |matches: Value| {
            let mut fields = Map::new();
            fields.insert("match".to_owned(), matches);
            fields.insert("route".to_owned(), action(rule));
            fields.insert(
                "metadata".to_owned(),
                json!({"filter_metadata": {"istio": {"config": config}}}),
            );
            operations(rule, &mut fields);
            if let Some(delay) = rule.pointer("/fault/delay") {
                let delay = json!({"fixed_delay": delay["fixedDelay"], "percentage": {"numerator": 100}});
                let fault = json!({"@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault", "delay": delay});
                fields.insert(
                    "typed_per_filter_config".to_owned(),
                    json!({"envoy.filters.http.fault": fault}),
                );
            }
            Value::Object(fields)
        };
        match rule["match"].as_array() {
            Some(matches) => routes.extend(matches.iter().map(|one| route(condition(one)))),
            None => routes.push(route(json!({"prefix": "/"}))),
        }
    }
    routes
}

fn condition(one: &Value) -> Value {
    let mut fields = match one["uri"].as_object().and_then(|uri| uri.iter().next()) {
        Some((kind, value)) if kind == "exact" => json!({"path": value}),
        Some((kind, value)) if kind == "regex" => json!({"safe_regex": {"regex": value}}),
        Some((_, value)) => json!({"prefix": value}),
        None => json!({"prefix": "/"}),
    };
    fields["case_sensitive"] = true.into();
    let mut headers: Vec<Value> = Vec::new();
    for (name, value) in one["headers"].as_object().into_iter().flatten() {
        headers.push(json!({"name": name, "string_match": string_match(value)}));
    }
    if one["method"].is_object() {
        headers.push(json!({"name": ":method", "string_match": string_match(&one["method"])}));
    }
    if !headers.is_empty() {
        fields["headers"] = headers.into();
    }
    let parameters = one["queryParams"].as_object().into_iter().flatten();
    let parameters: Vec<Value> = parameters
        .map(|(name, value)| json!({"name": name, "string_match": string_match(value)}))
        .collect();
    if !parameters.is_empty() {
        fields["query_parameters"] = parameters.into();
    }
    fields
}

fn string_match(value: &Value) -> Value {
    match value["regex"].as_str() {
        Some(regex) => json!({"safe_regex": {"regex": regex}}),
        None => value.clone(),
    }
}

fn action(rule: &Value) -> Value {
    let timeout = rule["timeout"].as_str().unwrap_or("0s");
    let mut action = json!({
        "cluster": cluster(&rule["route"][0]["destination"]),
        "timeout": timeout,
        "retry_policy": retry_policy(),
        "max_grpc_timeout": timeout,
    });
    if rule["mirror"].is_object() {
        let share = json!({"default_value": {"numerator": 100}});
        action["request_mirror_policies"] =
            json!([{"cluster": cluster(&rule["mirror"]), "runtime_fraction": share, "trace_sampled": false}]);
    }
    action
}

fn operations(rule: &Value, fields: &mut Map<String, Value>) {
    for of in ["request", "response"] {
        let mut added = Vec::new();
        for (operation, append) in [
            ("set", "OVERWRITE_IF_EXISTS_OR_ADD"),
            ("add", "APPEND_IF_EXISTS_OR_ADD"),
        ] {
            for (key, value) in rule["headers"][of][operation].as_object().into_iter().flatten() {
                added.push(json!({"header": {"key": key, "value": value}, "append_action": append}));
            }
        }
        if !added.is_empty() {
            fields.insert(format!("{of}_headers_to_add"), added.into());
        }
        if rule["headers"][of]["remove"].is_array() {
            fields.insert(format!("{of}_headers_to_remove"), rule["headers"][of]["remove"].clone());
        }
    }
}

fn cluster(destination: &Value) -> String {
    let (host, subset) = (text(&destination["host"]), text(&destination["subset"]));
    format!("outbound|9080|{subset}|{host}.default.svc.cluster.local")
}

fn named_default(host: &str) -> Value {
    json!({
        "name": "default",
        "match": {"prefix": "/"},
        "route": {
            "cluster": format!("outbound|9080||{host}"),
            "timeout": "0s",
            "retry_policy": retry_policy(),
            "max_grpc_timeout": "0s",
        },
    })
}

fn retry_policy() -> Value {
    let previous_hosts = "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate";
    json!({
        "retry_on": "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes",
        "num_retries": 2,
        "retry_host_predicate": [{
            "name": "envoy.retry_host_predicates.previous_hosts",
            "typed_config": {"@type": previous_hosts},
        }],
        "host_selection_retry_max_attempts": "5",
    })
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
