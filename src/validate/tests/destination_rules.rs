use super::*;

fn with_policy(policy: Value) -> Value {
    json!({"host": "a", "trafficPolicy": policy})
}

#[test]
fn a_host_may_be_a_wildcard_and_subsets_have_names_of_their_own() {
    errors(
        "DestinationRule",
        |spec| spec,
        &[
            (
                json!({"host": "*.a.com", "subsets": [{"name": "v1", "labels": {"version": ""}}]}),
                "",
            ),
            (json!({}), "host"),
            (
                json!({"host": "a", "subsets": [{"name": "v1"}, {}, {"name": "v1"}, {"name": "v_2"}]}),
                "subsets[1].name subsets[2].name subsets[3].name",
            ),
            (
                json!({"host": "a", "subsets": [{"name": "v", "trafficPolicy": {}}]}),
                "subsets[0].trafficPolicy",
            ),
        ],
    );
}

#[test]
fn a_policy_has_something_in_it() {
    errors(
        "DestinationRule",
        with_policy,
        &[
            (json!({"outlierDetection": {}}), ""),
            (json!({"retryBudget": {"percent": 30}}), ""),
            (
                json!({"retryBudget": {"percent": 101, "budgetInterval": "0s"}}),
                "trafficPolicy.retryBudget.percent trafficPolicy.retryBudget.budgetInterval",
            ),
            (json!({}), "trafficPolicy"),
            (json!({"connectionPool": {}}), "trafficPolicy.connectionPool"),
            (json!({"portLevelSettings": [{"port": {"number": 80}, "tls": {}}]}), ""),
            (
                json!({"portLevelSettings": [{"port": {"number": 80}}]}),
                "trafficPolicy.portLevelSettings[0]",
            ),
            (
                json!({"portLevelSettings": [{"tls": {}}]}),
                "trafficPolicy.portLevelSettings[0].port",
            ),
            (
                json!({"portLevelSettings": [{"port": {}, "tls": {}}]}),
                "trafficPolicy.portLevelSettings[0].port.number",
            ),
        ],
    );
}

#[test]
fn an_idle_timeout_of_nothing_turns_it_off_for_connections_alone() {
    errors(
        "DestinationRule",
        |pool| with_policy(json!({"connectionPool": pool})),
        &[
            (json!({"tcp": {"idleTimeout": "0s", "maxConnections": 0}}), ""),
            (
                json!({"http": {"idleTimeout": "0s"}}),
                "trafficPolicy.connectionPool.http.idleTimeout",
            ),
            (
                json!({"tcp": {"connectTimeout": "0s"}}),
                "trafficPolicy.connectionPool.tcp.connectTimeout",
            ),
            (
                json!({"tcp": {"tcpKeepalive": {"time": "1us"}}}),
                "trafficPolicy.connectionPool.tcp.tcpKeepalive.time",
            ),
            (
                json!({"http": {"http2MaxRequests": -1}}),
                "trafficPolicy.connectionPool.http.http2MaxRequests",
            ),
            (
                json!({"http": {"maxRetries": 4_294_967_296_i64}}),
                "trafficPolicy.connectionPool.http.maxRetries",
            ),
            (
                json!({"http": {"h2UpgradePolicy": "UPGRADE", "useClientProtocol": true}}),
                "trafficPolicy.connectionPool.http.h2UpgradePolicy",
            ),
            (
                json!({"http": {"h2UpgradePolicy": "NO"}}),
                "trafficPolicy.connectionPool.http.h2UpgradePolicy",
            ),
            (
                json!({"http": {"http2KeepAlive": {"interval": "1s"}}}),
                "trafficPolicy.connectionPool.http.http2KeepAlive.timeout",
            ),
        ],
    );
}

#[test]
fn outlier_detection_counts_what_it_splits() {
    errors(
        "DestinationRule",
        |outlier| with_policy(json!({"outlierDetection": outlier})),
        &[
            (
                json!({"consecutive5xxErrors": 0, "maxEjectionPercent": 100, "interval": "1s"}),
                "",
            ),
            (
                json!({"minHealthPercent": 101}),
                "trafficPolicy.outlierDetection.minHealthPercent",
            ),
            (
                json!({"consecutiveGatewayErrors": -1}),
                "trafficPolicy.outlierDetection.consecutiveGatewayErrors",
            ),
            (
                json!({"consecutiveLocalOriginFailures": 3}),
                "trafficPolicy.outlierDetection.consecutiveLocalOriginFailures",
            ),
            (
                json!({"consecutiveLocalOriginFailures": 3, "splitExternalLocalOriginErrors": true}),
                "",
            ),
            (
                json!({"outlierDetectionHttpErrorCodes": [429, 600]}),
                "trafficPolicy.outlierDetection.outlierDetectionHttpErrorCodes[1]",
            ),
        ],
    );
    let deprecated = with_policy(json!({"outlierDetection": {"consecutiveErrors": 5}}));
    assert_eq!(
        said("DestinationRule", deprecated),
        ["W IST0133 trafficPolicy.outlierDetection.consecutiveErrors"]
    );
}

#[test]
fn a_hash_has_one_source_and_a_table_of_a_prime() {
    errors(
        "DestinationRule",
        |hash| with_policy(json!({"loadBalancer": {"consistentHash": hash}})),
        &[
            (
                json!({"httpCookie": {"name": "c", "ttl": "0s"}, "maglev": {"tableSize": 65537}}),
                "",
            ),
            (
                json!({"httpCookie": {"ttl": "x"}}),
                "trafficPolicy.loadBalancer.consistentHash.httpCookie.name trafficPolicy.loadBalancer.consistentHash.httpCookie.ttl",
            ),
            (
                json!({"httpHeaderName": "a", "useSourceIp": true}),
                "trafficPolicy.loadBalancer.consistentHash",
            ),
            (
                json!({"maglev": {"tableSize": 4}}),
                "trafficPolicy.loadBalancer.consistentHash.maglev.tableSize",
            ),
            (
                json!({"maglev": {}}),
                "trafficPolicy.loadBalancer.consistentHash.maglev.tableSize",
            ),
            (
                json!({"maglev": {"tableSize": 5_000_011}}),
                "trafficPolicy.loadBalancer.consistentHash.maglev.tableSize",
            ),
        ],
    );
    errors(
        "DestinationRule",
        |balancer| with_policy(json!({"loadBalancer": balancer})),
        &[
            (json!({"simple": "LEAST_CONN"}), ""),
            (json!({"simple": "FASTEST"}), "trafficPolicy.loadBalancer.simple"),
            (
                json!({"simple": "RANDOM", "consistentHash": {}}),
                "trafficPolicy.loadBalancer",
            ),
            (
                json!({"warmup": {"aggression": 0.5}}),
                "trafficPolicy.loadBalancer.warmup.duration trafficPolicy.loadBalancer.warmup.aggression",
            ),
        ],
    );
    let deprecated =
        with_policy(json!({"loadBalancer": {"consistentHash": {"useSourceIp": true, "minimumRingSize": 9}}}));
    assert_eq!(
        said("DestinationRule", deprecated),
        ["W IST0133 trafficPolicy.loadBalancer.consistentHash.minimumRingSize"]
    );
}

#[test]
fn shares_of_places_sum_up_to_100_and_do_not_overlap() {
    let setting =
        |setting: Value| with_policy(json!({"outlierDetection": {}, "loadBalancer": {"localityLbSetting": setting}}));
    let at = "trafficPolicy.loadBalancer.localityLbSetting";
    errors(
        "DestinationRule",
        setting,
        &[
            (
                json!({"distribute": [{"from": "a/*", "to": {"a/b/*": 70, "a/c": 30}}, {"from": "b/c", "to": {"b": 100}}]}),
                "",
            ),
            (
                json!({"distribute": [{"from": "a", "to": {"a": 99}}]}),
                &format!("{at}.distribute[0].to"),
            ),
            (
                json!({"distribute": [{"from": "a", "to": {"a": 101, "b": -1}}]}),
                &format!("{at}.distribute[0].to.a {at}.distribute[0].to.b"),
            ),
            (
                json!({"distribute": [{"from": "a/b", "to": {"a": 100}}, {"from": "a", "to": {"a": 100}}]}),
                &format!("{at}.distribute[1].from"),
            ),
            (
                json!({"distribute": [{"from": "a//b", "to": {"*/a": 100}}]}),
                &format!("{at}.distribute[0].from {at}.distribute[0].to.*/a"),
            ),
            (
                json!({"failover": [{"from": "a", "to": "b"}], "distribute": [{}]}),
                &format!("{at}.failover"),
            ),
            (
                json!({"failover": [{"from": "a", "to": "a"}, {"from": "a/b", "to": "*"}]}),
                &format!("{at}.failover[0] {at}.failover[1].from {at}.failover[1].to"),
            ),
        ],
    );
    let alone = with_policy(json!({"loadBalancer": {"localityLbSetting": {"failover": [{"from": "a", "to": "b"}]}}}));
    assert_eq!(said("DestinationRule", alone), [format!("W IST0133 {at}")]);
}

#[test]
fn tls_shows_what_its_mode_needs() {
    errors(
        "DestinationRule",
        |tls| with_policy(json!({"tls": tls})),
        &[
            (json!({"mode": "SIMPLE", "sni": "a"}), ""),
            (json!({"mode": "MUTUAL", "credentialName": "c"}), ""),
            (
                json!({"mode": "MUTUAL"}),
                "trafficPolicy.tls.clientCertificate trafficPolicy.tls.privateKey",
            ),
            (
                json!({"mode": "SIMPLE", "credentialName": "c", "caCertificates": "f"}),
                "trafficPolicy.tls.caCertificates",
            ),
            (
                json!({"mode": "SIMPLE", "insecureSkipVerify": true, "subjectAltNames": ["a"]}),
                "trafficPolicy.tls.subjectAltNames",
            ),
            (json!({"mode": "TLS"}), "trafficPolicy.tls.mode"),
        ],
    );
}

#[test]
fn export_to_names_namespaces_once() {
    errors(
        "DestinationRule",
        |export_to| json!({"host": "a", "exportTo": export_to}),
        &[
            (json!([".", "other"]), ""),
            (json!(["*"]), ""),
            (json!([".", "prod"]), "exportTo[1]"),
            (json!(["*", "other"]), "exportTo"),
            (json!(["~", "a b"]), "exportTo[0] exportTo[1]"),
        ],
    );
    let selected =
        |export_to: Value| json!({"host": "a", "exportTo": export_to, "workloadSelector": {"matchLabels": {"a": "b"}}});
    errors(
        "DestinationRule",
        selected,
        &[
            (json!(["."]), ""),
            (json!([]), ""),
            (json!(["other"]), "exportTo"),
            (json!([".", "other"]), "exportTo"),
        ],
    );
    let everywhere = json!({"host": "a", "workloadSelector": {}});
    assert_eq!(
        said("DestinationRule", everywhere),
        ["W IST0133 workloadSelector.matchLabels"]
    );
}
