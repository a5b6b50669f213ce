use super::*;

fn config(proxy: &str, rules: &[&str]) -> Config {
    let rule = |rule: &&str| {
        let (metadata, spec) = rule.split_once('|').unwrap();
        format!(
            r#"{{"apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", "metadata": {{{metadata}}}, "spec": {{{spec}}}}}"#
        )
    };
    let rules: Vec<String> = rules.iter().map(rule).collect();
    let json = format!(r#"{{"proxy": {{{proxy}}}, "resources": [{}]}}"#, rules.join(","));
    let (config, findings) = Config::from_json(json.as_bytes());
    assert_eq!(findings, []);
    config
}

/// The names of the objects whose rule holds for `reviews` in namespace `shop`.
fn names(proxy: &str, rules: &[&str]) -> Vec<String> {
    let config = config(proxy, rules);
    let registry = Registry::new(&config);
    let rules = DestinationRules::new(&config, &config.proxy, &registry);
    let rule = rules.rule("reviews.shop.svc.cluster.local");
    rule.map(|rule| rule.objects.iter().map(|object| object.metadata.name.clone()).collect())
        .unwrap_or_default()
}

const HOST: &str = r#""host": "reviews.shop.svc.cluster.local""#;

#[test]
fn the_callers_namespace_wins_over_the_services_and_that_over_istios_own() {
    let own = format!(r#""name": "own", "namespace": "caller"|{HOST}"#);
    let home = format!(r#""name": "home", "namespace": "shop"|{HOST}"#);
    let root = format!(r#""name": "root", "namespace": "istio-system"|{HOST}"#);
    let other = format!(r#""name": "other", "namespace": "other"|{HOST}"#);
    let caller = r#""namespace": "caller""#;
    assert_eq!(names(caller, &[&root, &home, &other, &own]), ["own"]);
    assert_eq!(names(caller, &[&root, &home, &other]), ["home"]);
    assert_eq!(names(caller, &[&root, &other]), ["root"]);
    assert!(names(caller, &[&other]).is_empty());
}

#[test]
fn in_istios_own_namespace_the_services_rule_wins_over_the_one_for_everyone() {
    let home = format!(r#""name": "home", "namespace": "shop"|{HOST}"#);
    let root = |export: &str| format!(r#""name": "root", "namespace": "istio-system"|{HOST}, "exportTo": [{export}]"#);
    let caller = r#""namespace": "istio-system""#;
    assert_eq!(names(caller, &[&root(""), &home]), ["home"]);
    assert_eq!(names(caller, &[&root(r#"".""#), &home]), ["root"]);
    assert_eq!(names(caller, &[&root("")]), ["root"]);
}

#[test]
fn a_rule_is_seen_only_where_it_is_exported() {
    let rule = |export: &str| format!(r#""name": "home", "namespace": "shop"|{HOST}, "exportTo": [{export}]"#);
    let caller = r#""namespace": "caller""#;
    assert!(names(caller, &[&rule(r#"".""#)]).is_empty());
    assert!(names(caller, &[&rule(r#""other""#)]).is_empty());
    assert_eq!(names(caller, &[&rule(r#""caller""#)]), ["home"]);
    assert_eq!(names(caller, &[&rule(r#""*""#)]), ["home"]);
    assert_eq!(names(r#""namespace": "shop""#, &[&rule(r#"".""#)]), ["home"]);
}

#[test]
fn the_most_specific_host_wins() {
    let shop = r#""namespace": "shop""#;
    let all = r#""name": "all", "namespace": "shop"|"host": "*.svc.cluster.local""#;
    let namespace = r#""name": "namespace", "namespace": "shop"|"host": "*.shop.svc.cluster.local""#;
    let exact = r#""name": "exact", "namespace": "shop"|"host": "reviews""#;
    assert_eq!(names(shop, &[all, namespace, exact]), ["exact"]);
    assert_eq!(names(shop, &[all, namespace]), ["namespace"]);
    assert_eq!(names(shop, &[all]), ["all"]);
}

#[test]
fn rules_for_one_host_are_merged_and_the_oldest_policy_holds() {
    let rule = |name: &str, time: &str, spec: &str| {
        format!(r#""name": "{name}", "creationTimestamp": "{time}"|"host": "reviews", {spec}"#)
    };
    let policy = |connections: u32| {
        format!(r#""trafficPolicy": {{"connectionPool": {{"tcp": {{"maxConnections": {connections}}}}}}}"#)
    };
    let young = rule(
        "a",
        "2024-02-01T00:00:00Z",
        &format!(
            r#"{}, "subsets": [{{"name": "v1", "labels": {{"a": "young"}}}}, {{"name": "v2"}}]"#,
            policy(2)
        ),
    );
    let old = rule(
        "b",
        "2024-01-01T00:00:00Z",
        r#""subsets": [{"name": "v1", "labels": {"a": "old"}}]"#,
    );
    let config = config("", &[&young, &old]);
    let registry = Registry::new(&config);
    let rules = DestinationRules::new(&config, &config.proxy, &registry);
    let rule = rules.rule("reviews.default.svc.cluster.local").unwrap();
    assert_eq!(
        rule.subsets
            .iter()
            .map(|subset| subset.name.as_str())
            .collect::<Vec<_>>(),
        ["v1", "v2"]
    );
    assert_eq!(rule.subset("v1").unwrap().labels["a"], "old");
    let pool = rule.policy(80, None).connection_pool.unwrap();
    assert_eq!(pool.tcp.as_ref().unwrap().max_connections, 2);
}

#[test]
fn a_workload_selector_picks_its_callers_before_the_rule_for_all() {
    let all = format!(r#""name": "all", "namespace": "shop"|{HOST}"#);
    let some = format!(
        r#""name": "some", "namespace": "shop"|{HOST}, "workloadSelector": {{"matchLabels": {{"app": "web"}}}}"#
    );
    let web = r#""namespace": "shop", "labels": {"app": "web"}"#;
    assert_eq!(names(web, &[&all, &some]), ["some"]);
    assert_eq!(names(r#""namespace": "shop""#, &[&some, &all]), ["all"]);
    assert_eq!(
        names(r#""namespace": "caller", "labels": {"app": "web"}"#, &[&all, &some]),
        ["all"]
    );
}

const POLICY: &str = r#""name": "p"|"host": "p", "trafficPolicy": {
        "loadBalancer": {"consistentHash": {"httpHeaderName": "top"}}, "proxyProtocol": {"version": "V2"}, "outlierDetection": {},
        "portLevelSettings": [{"port": {"number": 81}, "loadBalancer": {"consistentHash": {"httpHeaderName": "port"}}}]},
    "subsets": [{"name": "plain"},
        {"name": "own", "trafficPolicy": {"connectionPool": {"tcp": {}}}},
        {"name": "port", "trafficPolicy": {"portLevelSettings": [{"port": {"number": 80}, "connectionPool": {"tcp": {}}}]}}]"#;

fn with_policy<T>(test: impl FnOnce(&MergedRule) -> T) -> T {
    let config = config("", &[POLICY]);
    let registry = Registry::new(&config);
    let rules = DestinationRules::new(&config, &config.proxy, &registry);
    test(rules.rule("p.default.svc.cluster.local").unwrap())
}

#[test]
fn an_entry_for_a_port_replaces_the_whole_policy() {
    with_policy(|rule| {
        let at = rule.policy(81, None);
        assert!(at.load_balancer.is_some() && at.outlier_detection.is_none() && at.proxy_protocol.is_none());
        assert!(rule.policy(80, None).proxy_protocol.is_some());
    });
}

#[test]
fn a_subset_overrides_block_by_block_and_with_an_entry_for_the_port_all_of_its_blocks() {
    with_policy(|rule| {
        let own = rule.policy(80, rule.subset("own"));
        assert!(own.connection_pool.is_some() && own.outlier_detection.is_some());
        let port = rule.policy(80, rule.subset("port"));
        assert!(port.connection_pool.is_some() && port.outlier_detection.is_none() && port.load_balancer.is_none());
        assert!(port.proxy_protocol.is_some());
        assert_eq!(rule.policy(80, rule.subset("plain")), rule.policy(80, None));
    });
}

#[test]
fn a_hash_of_a_port_counts_only_for_a_destination_that_names_it() {
    let header = |subset: &str, port| {
        with_policy(|rule| {
            rule.consistent_hash(subset, port)
                .unwrap()
                .http_header_name
                .clone()
                .unwrap()
        })
    };
    assert_eq!(header("", None), "top");
    assert_eq!(header("", Some(81)), "port");
    assert_eq!(header("own", Some(80)), "top");
}
