use super::virtual_services::with_route;
use super::*;

#[test]
fn destinations_are_named_and_share_something() {
    let path = "http[0].route[0]";
    errors(
        "VirtualService",
        |route| with_route(json!({"route": route})),
        &[
            (
                json!([{"destination": {"host": "*.a.com", "subset": "v1", "port": {"number": 1}}, "weight": 0}]),
                "",
            ),
            (
                json!([{"destination": {"host": "*"}}]),
                &format!("{path}.destination.host"),
            ),
            (json!([{"destination": {}}]), &format!("{path}.destination.host")),
            (json!([{}]), &format!("{path}.destination")),
            (
                json!([{"destination": {"host": "a", "subset": "v_1", "port": {}}}]),
                &format!("{path}.destination.subset {path}.destination.port.number"),
            ),
            (
                json!([{"destination": {"host": "a"}}, {"destination": {"host": "b"}}]),
                "http[0].route",
            ),
            (
                json!([{"destination": {"host": "a"}, "weight": 300}, {"destination": {"host": "b"}, "weight": 1}]),
                "",
            ),
            (
                json!([{"destination": {"host": "a"}, "weight": -1}]),
                &format!("{path}.weight"),
            ),
            (
                json!([{"destination": {"host": "a"}, "headers": {"request": {"remove": ["host"]}}}]),
                &format!("{path}.headers.request.remove[0]"),
            ),
        ],
    );
}

#[test]
fn mirrors_have_destinations_and_shares() {
    errors(
        "VirtualService",
        with_route,
        &[
            (
                json!({"mirror": {"host": "b"}, "mirrorPercentage": {"value": 0.00001}}),
                "",
            ),
            (
                json!({"mirror": {"host": "b"}, "mirrorPercentage": {"value": -0.1}}),
                "http[0].mirrorPercentage.value",
            ),
            (json!({"mirror": {"host": ""}}), "http[0].mirror.host"),
            (
                json!({"mirrors": [{}, {"destination": {"host": "b"}, "percentage": {"value": 100.1}}]}),
                "http[0].mirrors[0].destination http[0].mirrors[1].percentage.value",
            ),
        ],
    );
    let deprecated = with_route(json!({"mirror": {"host": "b"}, "mirror_percent": 101}));
    assert_eq!(
        said("VirtualService", deprecated),
        ["E IST0106 http[0].mirrorPercent", "W IST0133 http[0].mirrorPercent"]
    );
}

#[test]
fn rules_for_tls_and_tcp_are_looked_through_and_not_served() {
    let said = |spec: Value| said("VirtualService", spec);
    let route = json!([{"destination": {"host": "a.com"}}]);
    assert_eq!(
        said(json!({"hosts": ["*.a.com"], "tls": [
            {"match": [{"sniHosts": ["b.a.com"], "port": 443, "destinationSubnets": ["10.0.0.0/8"]}], "route": route},
            {"match": [{"sniHosts": ["b.com", "10.0.0.1"]}, {}]},
            {"route": route},
        ]})),
        [
            "E IST0106 tls[1].match[0].sniHosts[0]",
            "W IST0133 tls[1].match[0].sniHosts[1]",
            "E IST0106 tls[1].match[1].sniHosts",
            "E IST0106 tls[1].route",
            "E IST0106 tls[2].match",
            "W SWY0001 tls",
        ]
    );
    assert_eq!(
        said(json!({"hosts": ["a.com"], "tcp": [{"match": [{"destinationSubnets": ["x"], "port": 0}]}]})),
        [
            "E IST0106 tcp[0].match[0].destinationSubnets[0]",
            "E IST0106 tcp[0].route",
            "W SWY0001 tcp"
        ]
    );
    let mut at_gateway = json!({"hosts": ["outbound_.80_._.b.mesh"], "gateways": ["g"], "tls": [
        {"match": [{"sniHosts": ["outbound_.80_._.b.mesh"]}], "route": route},
    ]});
    assert_eq!(said(at_gateway.clone()), ["W SWY0001 tls"]);
    at_gateway["gateways"] = json!([]);
    assert_eq!(
        said(at_gateway),
        [
            "E IST0106 hosts[0]",
            "E IST0106 tls[0].match[0].sniHosts[0]",
            "W SWY0001 tls"
        ]
    );
}
