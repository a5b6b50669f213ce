use super::*;

fn registry(resources: &str) -> Registry {
    let json = format!(r#"{{"resources": [{resources}]}}"#);
    let (config, findings) = Config::from_json(json.as_bytes());
    assert_eq!(findings, []);
    Registry::new(&config)
}

const REVIEWS: &str = r#"
    {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "reviews"},
     "spec": {"ports": [{"name": "http", "port": 9080}, {"name": "grpc-admin", "port": 9081}]}}"#;

#[test]
fn endpoints_come_from_the_ready_addresses_of_slices_with_the_pods_labels() {
    let service = r#"{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "reviews"}, "spec": {"ports": [{"name": "http", "port": 80}]}},
        {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
         "metadata": {"name": "reviews-x", "labels": {"kubernetes.io/service-name": "reviews"}},
         "ports": [{"name": "http", "port": 9080}],
         "endpoints": [{"addresses": ["10.0.0.1"], "targetRef": {"kind": "Pod", "name": "p"}, "zone": "z"},
                       {"addresses": ["10.0.0.2"], "conditions": {"ready": false}},
                       {"addresses": ["10.0.0.3"], "labels": {"version": "v2"}}]},
        {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "reviews"},
         "subsets": [{"addresses": [{"ip": "10.0.0.9"}], "ports": [{"name": "http", "port": 9080}]}]},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": {"version": "v1"}}}"#;
    let registry = registry(service);
    let service = registry.service("reviews.default.svc.cluster.local").unwrap();
    let seen: Vec<_> = service
        .endpoints
        .iter()
        .map(|endpoint| {
            (
                &*endpoint.address,
                &*endpoint.labels["version"],
                endpoint.port(&service.ports[0]),
            )
        })
        .collect();
    assert_eq!(seen, [("10.0.0.1", "v1", Some(9080)), ("10.0.0.3", "v2", Some(9080))]);
    assert_eq!(service.endpoints[0].locality.zone, "z");
}

#[test]
fn endpoints_of_the_old_kind_serve_where_there_is_no_slice() {
    let registry = registry(&format!(
        r#"{REVIEWS}, {{"apiVersion": "v1", "kind": "Endpoints", "metadata": {{"name": "reviews"}},
            "subsets": [{{"addresses": [{{"ip": "10.0.0.9", "labels": {{"version": "v1"}}}}], "ports": [{{"name": "http", "port": 3000}}]}}]}}"#
    ));
    let service = registry.service("reviews.default.svc.cluster.local").unwrap();
    assert_eq!(service.endpoints[0].labels["version"], "v1");
    assert_eq!(service.endpoints[0].port(&service.ports[0]), Some(3000));
    assert_eq!(service.port(9081).map(|port| port.protocol), Some(Protocol::Grpc));
}

#[test]
fn an_endpoint_of_kubernetes_lacks_the_ports_it_does_not_name() {
    let workloads = r#"{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"},
            "spec": {"ports": [{"name": "http", "port": 80}, {"name": "admin", "port": 81}]}},
        {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "a"},
            "subsets": [{"addresses": [{"ip": "10.0.0.9"}], "ports": [{"name": "http", "port": 3000}]}]}"#;
    let registry = registry(workloads);
    let service = registry.service("a.default.svc.cluster.local").unwrap();
    assert_eq!(service.endpoints[0].port(&service.ports[0]), Some(3000));
    assert_eq!(service.endpoints[0].port(&service.ports[1]), None);
}

fn entry(resolution: &str, endpoints: &str) -> Service {
    let registry = registry(&format!(
        r#"{{"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry", "metadata": {{"name": "a"}},
            "spec": {{"hosts": ["API.example.com"], "resolution": "{resolution}", "endpoints": [{endpoints}],
                      "ports": [{{"number": 80, "name": "http", "protocol": "HTTP", "targetPort": 8080}}, {{"number": 443, "name": "s", "protocol": "tls"}}]}}}}"#
    ));
    registry.service("api.example.com").unwrap().clone()
}

#[test]
fn a_service_entry_that_is_looked_up_without_endpoints_is_its_own() {
    let service = entry("DNS", "");
    assert_eq!(service.endpoints[0].address, "api.example.com");
    assert_eq!(service.endpoints[0].port(&service.ports[0]), Some(8080));
    assert_eq!(service.endpoints[0].port(&service.ports[1]), Some(443));
    assert!(service.is_external);
    assert!(entry("STATIC", "").endpoints.is_empty());
}

#[test]
fn an_endpoints_own_port_wins_over_the_services_target() {
    let service = entry(
        "STATIC",
        r#"{"address": "10.0.0.1", "ports": {"http": 9000}, "locality": "eu/a/1", "weight": 3}"#,
    );
    let endpoint = &service.endpoints[0];
    assert_eq!(endpoint.port(&service.ports[0]), Some(9000));
    assert_eq!(endpoint.locality, Locality::parse("eu/a/1"));
    assert_eq!(endpoint.weight, 3);
    assert_eq!(Locality::parse("eu").zone, "");
}

#[test]
fn a_kubernetes_service_wins_over_an_entry_of_its_name() {
    let registry = registry(
        r#"{"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry", "metadata": {"name": "a"},
            "spec": {"hosts": ["a"], "resolution": "STATIC", "ports": [{"number": 1, "name": "http", "protocol": "HTTP"}]}},
           {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": [{"name": "http", "port": 2}]}}"#,
    );
    assert_eq!(
        registry.service("a.default.svc.cluster.local").unwrap().only_port(),
        Some(2)
    );
}

#[test]
fn a_service_is_seen_where_it_is_exported() {
    let registry = registry(
        r#"{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "annotations": {"networking.istio.io/exportTo": "., shop"}}, "spec": {}}"#,
    );
    let seen = |namespace| registry.visible_from(namespace).count();
    assert_eq!((seen("default"), seen("shop"), seen("other")), (1, 1, 0));
}
