//! What is refused, and what is warned of.

use super::*;
use crate::finding::Severity;

#[test]
fn listeners_that_cannot_be_bound_are_refused() {
    let refused = |callers: &str, text: &str| -> Vec<String> {
        let findings = try_configuration(text, callers).unwrap_err();
        findings.iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        refused(
            r#"{"callers": [{"name": "a", "ports": [{"number": 9080}]}, {"name": "b", "ports": [{"number": 9080}]}]}"#,
            SERVICES
        ),
        [
            "Error callers: b is to listen at 127.0.0.1:9080 for port 9080, where a listens for port 9080; give it another address or list its ports"
        ]
    );
    assert_eq!(
        refused(
            "{}",
            &SERVICES
                .replace("10.0.0.1", "127.0.0.1")
                .replace("number: 80,", "number: 81,")
        ),
        [
            "Error callers: default is to listen at 127.0.0.1:9080 for port 9080, where reviews.default.svc.cluster.local is served; give it another address or list its ports"
        ]
    );
}

#[test]
fn what_nothing_here_can_give_is_said_where_it_is_written() {
    let rule = "
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: r}
spec:
  host: reviews
  trafficPolicy:
    loadBalancer: {simple: PASSTHROUGH}
    tunnel: {targetHost: a.example.com, targetPort: 443}
    portLevelSettings:
    - {port: {number: 80}, tls: {mode: ISTIO_MUTUAL}}
  subsets:
  - {name: v1, labels: {version: v1}, trafficPolicy: {tls: {mode: SIMPLE, credentialName: secret}}}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw}
spec:
  servers:
  - {port: {number: 443, name: tls, protocol: TLS}, hosts: [a.example.com], tls: {mode: PASSTHROUGH}}
  - {port: {number: 8443, name: https, protocol: HTTPS}, hosts: [a.example.com], tls: {mode: SIMPLE, credentialName: secret}}
";
    let said = |callers: &str| -> Vec<String> {
        let findings = configuration(&format!("{SERVICES}{rule}"), callers).findings;
        assert!(findings.iter().all(|finding| finding.severity == Severity::Warning));
        findings
            .iter()
            .map(|finding| format!("{} {} {}", finding.code, finding.object, finding.path))
            .collect()
    };
    let always = [
        "SWY0203 DestinationRule default/r trafficPolicy.loadBalancer.simple",
        "SWY0203 DestinationRule default/r trafficPolicy.portLevelSettings[0].tls.mode",
        "SWY0203 DestinationRule default/r trafficPolicy.tunnel",
        "SWY0203 DestinationRule default/r subsets[0].trafficPolicy.tls.credentialName",
        "SWY0202 Gateway default/gw servers[0]",
        "SWY0202 Gateway default/gw servers[1]",
    ];
    assert_eq!(said("{}"), always);
    let with_files = r#"{"identity": {"certificate": "c", "privateKey": "k"}, "credentials": {"secret": {"certificate": "c", "privateKey": "k"}}}"#;
    assert_eq!(said(with_files), [always[0], always[2], always[4]]);
}

#[test]
fn callers_that_go_by_different_rules_are_told_whose_holds() {
    let rule = "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: r, namespace: shop}\nspec: {host: reviews.default.svc.cluster.local, trafficPolicy: {loadBalancer: {simple: RANDOM}}}\n";
    let callers = r#"{"callers": [{"name": "a"}, {"name": "b", "namespace": "shop", "address": "127.0.0.2"}]}"#;
    let configuration = configuration(&format!("{SERVICES}{rule}"), callers);
    assert_eq!(
        clusters(&configuration)["outbound|9080||reviews.default.svc.cluster.local"]["lb_policy"],
        "LEAST_REQUEST"
    );
    assert_eq!(configuration.findings[0].code, "SWY0201");
    assert_eq!(configuration.findings.len(), 1);
}

#[test]
fn files_that_documents_name_are_known_with_their_places() {
    let text = "
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: r}
spec:
  host: reviews
  trafficPolicy:
    tls: {mode: MUTUAL, clientCertificate: /c, privateKey: /k, caCertificates: /ca}
    portLevelSettings: [{port: {number: 80}, tls: {mode: SIMPLE, caCertificates: /port, insecureSkipVerify: true, caCrl: /crl}}]
  subsets: [{name: v1, labels: {version: v1}, trafficPolicy: {tls: {mode: SIMPLE, caCertificates: /subset}}}]
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw}
spec:
  servers: [{port: {number: 443, name: https, protocol: HTTPS}, hosts: [a], tls: {mode: SIMPLE, serverCertificate: /s, privateKey: /sk, caCertificates: /unused}}]
";
    let (callers, _) = Callers::from_json(br#"{"credentials": {"secret": {"certificate": "/sc"}}}"#);
    let (manifests, _) = Manifests::new(objects(text), &callers);
    let files: Vec<String> = manifests
        .files(&callers)
        .iter()
        .map(|(file, finding)| format!("{} {}", file.display(), finding.path))
        .collect();
    assert_eq!(
        files,
        [
            "/c trafficPolicy.tls.clientCertificate",
            "/k trafficPolicy.tls.privateKey",
            "/ca trafficPolicy.tls.caCertificates",
            "/subset subsets[0].trafficPolicy.tls.caCertificates",
            "/s servers[0].tls.serverCertificate",
            "/sk servers[0].tls.privateKey",
            "/sc credentials.secret.certificate",
        ]
    );
}
