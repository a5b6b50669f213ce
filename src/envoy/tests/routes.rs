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
        variant["match"]["headers"][0],
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

/// A rule for `reviews` that mirrors to subsets, and one for `other` that does so under another authority.
fn mirroring() -> String {
    let to = "route: [{destination: {host: reviews}}]";
    let mirror = |subset: &str| format!("mirror: {{host: reviews, subset: {subset}}}");
    let own = format!("{{{}, retries: {{attempts: 1, backoff: 50ms}}, {to}}}", mirror("v1"));
    let half = "mirrors: [{destination: {host: reviews, subset: v1}}, {destination: {host: reviews, subset: v2}, percentage: {value: 50}}]";
    let elsewhere = format!("{{{}, rewrite: {{authority: reviews}}, {to}}}", mirror("v3"));
    let reviews = virtual_service(&format!(
        "{{hosts: [reviews], http: [{{match: [{{uri: {{prefix: /a}}}}], {half}, {to}}}, {own}]}}"
    ));
    let other = virtual_service(&format!("{{hosts: [other.example.com], http: [{elsewhere}]}}"));
    format!(
        "{reviews}---\n{}",
        other.replace(SERVICES, "").replace("name: v}", "name: w}")
    )
}

#[test]
fn mirrors_that_envoy_makes_stand_in_routes_of_the_hosts_whose_requests_ask_for_them() {
    let hosts = virtual_hosts(
        &listeners(&configuration(&mirroring(), r#"{"options": {"nativeMirrors": true}}"#))["default_9080"],
    );
    let name = |begin: &str, subsets: &[&str]| {
        let clusters = subsets
            .iter()
            .map(|subset| format!(" outbound|9080|{subset}|reviews.default.svc.cluster.local"));
        format!("{begin} mirror{}", clusters.collect::<String>())
    };
    let retried = "switchyard custom backoff=50ms";
    let everywhere = [
        retried.to_owned(),
        "switchyard custom".to_owned(),
        name("switchyard", &["v3"]),
        "switchyard".to_owned(),
    ];
    assert_eq!(hosts["*"].1, everywhere);
    assert_eq!(hosts["other.example.com"].1, everywhere);
    // With mirrors before without, for whoever asks for those that are not there goes on without.
    let own = [
        name(retried, &["v1"]),
        retried.to_owned(),
        "switchyard custom".to_owned(),
        name("switchyard", &["v3"]),
        name("switchyard", &["v1", "v2"]),
        name("switchyard", &["v1"]),
        "switchyard".to_owned(),
        "default".to_owned(),
    ];
    assert_eq!(hosts["reviews.default.svc.cluster.local"].1, own);
    let without = listeners(&configuration(&mirroring(), "{}"));
    let names = &virtual_hosts(&without["default_9080"])["*"].1;
    assert!(names.iter().all(|name| !name.contains("mirror")), "{names:?}");
}

#[test]
fn a_route_with_mirrors_is_picked_by_what_it_is() {
    let route = |options: &str, name: &str| {
        let callers = format!(r#"{{"options": {{"nativeMirrors": true{options}}}}}"#);
        let all = listeners(&configuration(&mirroring(), &callers));
        let hosts = by_name(&connection_manager(&all["default_9080"])["route_config"]["virtual_hosts"]);
        by_name(&hosts["reviews.default.svc.cluster.local"]["routes"])[name].clone()
    };
    let cluster = "outbound|9080|v1|reviews.default.svc.cluster.local";
    let plain = route("", &format!("switchyard mirror {cluster}"));
    let picked = json!([
        {"name": crate::reserved::RETRY, "present_match": false},
        {"name": crate::reserved::MIRROR, "string_match": {"exact": cluster}},
        {"name": crate::reserved::CLUSTER, "present_match": true},
    ]);
    assert_eq!(plain["match"]["headers"], picked);
    assert_eq!(plain["request_headers_to_remove"], json!(crate::reserved::ALL));
    assert_eq!(
        plain["route"]["request_mirror_policies"],
        json!([{"cluster": cluster, "trace_sampled": false}])
    );
    assert_eq!(plain["route"]["retry_policy"]["num_retries"], 2);
    let retried = route(
        r#", "shadowHostSuffix": false"#,
        &format!("switchyard custom backoff=50ms mirror {cluster}"),
    );
    assert_eq!(
        retried["match"]["headers"][0]["string_match"]["exact"],
        "custom backoff=50ms"
    );
    assert_eq!(
        retried["route"]["request_mirror_policies"][0]["disable_shadow_host_suffix_append"],
        true
    );
    assert_eq!(
        retried["route"]["retry_policy"]["retry_back_off"]["base_interval"],
        "0.050s"
    );
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
