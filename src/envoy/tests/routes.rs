//! The overlay and the default routes.

use super::*;

/// The virtual hosts of a listener by name: their domains, and the names of their routes.
pub fn virtual_hosts(listener: &Value) -> BTreeMap<String, (Vec<String>, Vec<String>)> {
    let texts = |list: &Value, field: Option<&str>| {
        let text = |value: &Value| field.map_or(value, |field| &value[field]).as_str().unwrap().to_owned();
        list.as_array().unwrap().iter().map(text).collect()
    };
    let hosts = by_name(&connection_manager(listener)["route_config"]["virtual_hosts"]);
    let parts = |host: &Value| (texts(&host["domains"], None), texts(&host["routes"], Some("name")));
    hosts.iter().map(|(name, host)| (name.clone(), parts(host))).collect()
}

#[test]
fn the_overlay_stands_first_in_every_virtual_host_and_in_the_one_for_everything() {
    let text =
        virtual_service("{hosts: [reviews, api.example.com], http: [{route: [{destination: {host: reviews}}]}]}");
    let hosts = virtual_hosts(&listeners(&configuration(&text, "{}"))["default_9080"]);
    let overlay = ["switchyard custom", "switchyard"].map(str::to_owned).to_vec();
    let (domains, routes) = &hosts["reviews.default.svc.cluster.local"];
    assert!(
        domains.contains(&"reviews".to_owned()) && domains.contains(&"reviews.default.svc.cluster.local.".to_owned())
    );
    assert_eq!(*routes, [overlay.clone(), vec!["default".to_owned()]].concat());
    assert_eq!(
        hosts["api.example.com"],
        (
            vec!["api.example.com".to_owned(), "api.example.com.".to_owned()],
            overlay.clone()
        )
    );
    assert_eq!(hosts["*"], (vec!["*".to_owned()], overlay));
}

#[test]
fn clients_get_at_no_reserved_header_and_none_goes_upstream() {
    let all = listeners(&configuration(SERVICES, "{}"));
    let routes = &connection_manager(&all["default_9080"])["route_config"];
    assert_eq!(routes["internal_only_headers"], json!(crate::reserved::ALL));
    let overlay = &routes["virtual_hosts"][0]["routes"][1];
    assert_eq!(
        overlay["request_headers_to_remove"],
        json!([crate::reserved::CLUSTER, crate::reserved::RETRY])
    );
    assert_eq!(overlay["route"]["cluster_header"], crate::reserved::CLUSTER);
    assert_eq!(
        overlay["match"],
        json!({"prefix": "", "headers": [{"name": crate::reserved::CLUSTER, "present_match": true}]})
    );
}

#[test]
fn retry_policies_that_headers_cannot_ask_for_are_variants_named_by_what_they_are() {
    let retries = "{attempts: 3, retryOn: 5xx, backoff: 50ms, retryRemoteLocalities: true}";
    let text = virtual_service(&format!(
        "{{hosts: [reviews], http: [{{retries: {retries}, route: [{{destination: {{host: reviews}}}}]}}]}}"
    ));
    let all = listeners(&configuration(&text, "{}"));
    let routes = &connection_manager(&all["default_9080"])["route_config"]["virtual_hosts"][0]["routes"];
    let variant = &by_name(routes)["switchyard custom backoff=50ms remote-localities"];
    assert_eq!(
        variant["match"]["headers"][1],
        json!({"name": crate::reserved::RETRY, "string_match": {"exact": "custom backoff=50ms remote-localities"}})
    );
    let policy = &variant["route"]["retry_policy"];
    assert_eq!(policy["retry_back_off"], json!({"base_interval": "0.050s"}));
    assert_eq!(
        policy["retry_priority"]["name"],
        "envoy.retry_priorities.previous_priorities"
    );
    assert_eq!(policy["host_selection_retry_max_attempts"], "5");
    assert!(policy.get("retry_on").is_none() && policy.get("num_retries").is_none());
    assert_eq!(by_name(routes)["switchyard"]["route"]["retry_policy"]["num_retries"], 2);
}

#[test]
fn a_service_without_a_virtual_service_is_hashed_by_envoy_itself() {
    let rule = "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: r}\nspec: {host: reviews, trafficPolicy: {loadBalancer: {consistentHash: {httpCookie: {name: c, ttl: 60s, path: /}}}}}\n";
    let all = listeners(&configuration(&format!("{SERVICES}{rule}"), "{}"));
    let routes = by_name(&connection_manager(&all["default_9080"])["route_config"]["virtual_hosts"][0]["routes"]);
    let route = &routes["default"]["route"];
    assert_eq!(
        route["hash_policy"],
        json!([{"cookie": {"name": "c", "ttl": "60s", "path": "/"}}])
    );
    assert!(route["retry_policy"].get("retry_host_predicate").is_none());
    assert_eq!(
        routes["switchyard"]["route"]["hash_policy"],
        json!([{"filter_state": {"key": "envoy.hashable_string"}}])
    );
}
