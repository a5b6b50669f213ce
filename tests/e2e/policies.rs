//! Envoy takes what is made of every field of DestinationRule.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use switchyard::envoy::{Callers, Configuration, Manifests, Settings};
use switchyard::yaml;

use crate::goldens::{cases, folder};
use crate::support::envoy::program;

const SERVICE: &str = "
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: shop}
spec:
  hosts: [shop.example.com]
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}, {number: 81, name: http2, protocol: HTTP2}]
  endpoints:
  - {address: 127.0.0.2, labels: {version: v1}, locality: eu/a}
  - {address: 127.0.0.3, labels: {version: v2}, locality: us/a}
";

/// Every field that a policy has, in as many policies as exclude one another.
const POLICIES: [&str; 6] = [
    "
connectionPool:
  tcp:
    maxConnections: 10
    connectTimeout: 2s
    maxConnectionDuration: 10m
    idleTimeout: 5m
    tcpKeepalive: {probes: 3, time: 7200s, interval: 75s}
  http:
    http1MaxPendingRequests: 5
    http2MaxRequests: 50
    maxRequestsPerConnection: 100
    maxRetries: 3
    idleTimeout: 30s
    h2UpgradePolicy: UPGRADE
    maxConcurrentStreams: 20
    http2KeepAlive: {interval: 10s, timeout: 2s}
outlierDetection:
  splitExternalLocalOriginErrors: true
  consecutiveLocalOriginFailures: 3
  consecutiveGatewayErrors: 2
  consecutive5xxErrors: 5
  interval: 5s
  baseEjectionTime: 1m
  maxEjectionPercent: 50
  minHealthPercent: 30
retryBudget: {percent: 20, minRetryConcurrency: 4}
loadBalancer:
  simple: LEAST_REQUEST
  warmup: {duration: 30s, minimumPercent: 10, aggression: 2}
  localityLbSetting: {failover: [{from: eu, to: us}]}
",
    "
connectionPool: {http: {useClientProtocol: true}}
outlierDetection: {outlierDetectionHttpErrorCodes: [500, 503], consecutive5xxErrors: 0}
loadBalancer:
  simple: ROUND_ROBIN
  warmupDurationSecs: 20s
  localityLbSetting: {distribute: [{from: eu/*, to: {'eu/*': 70, 'us/*': 30}}]}
tls: {mode: MUTUAL, clientCertificate: CLIENT.pem, privateKey: CLIENT.key, caCertificates: SHOP.pem, subjectAltNames: [shop.example.com, 'spiffe://a/b'], sni: shop.example.com}
proxyProtocol: {version: V2}
",
    "
tls: {mode: SIMPLE}
proxyProtocol: {}
loadBalancer: {consistentHash: {httpCookie: {name: user, path: /, ttl: 60s, attributes: [{name: SameSite, value: Strict}]}, ringHash: {minimumRingSize: 2048}}}
",
    "
tls: {mode: SIMPLE, insecureSkipVerify: true}
loadBalancer: {consistentHash: {httpHeaderName: x-user, maglev: {tableSize: 65537}}}
",
    "
tls: {mode: ISTIO_MUTUAL}
loadBalancer: {simple: RANDOM, localityLbSetting: {failoverPriority: [version]}}
outlierDetection: {consecutive5xxErrors: 5}
",
    "
tls: {mode: DISABLE}
loadBalancer: {simple: PASSTHROUGH}
portLevelSettings:
- port: {number: 81}
  connectionPool: {tcp: {maxConnections: 7}}
  loadBalancer: {consistentHash: {useSourceIp: true}}
  outlierDetection: {consecutiveGatewayErrors: 1}
  tls: {mode: SIMPLE, caCertificates: SHOP.pem}
",
];

/// A rule with a policy for the host, and the same for a subset.
fn rule(policy: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/tls");
    let file = |name: &str| folder.join(name).display().to_string();
    let policy = policy.replace("CLIENT", &file("client")).replace("SHOP", &file("shop"));
    let indented = |by: &str| policy.replace('\n', &format!("\n{by}"));
    format!(
        "
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: shop}}
spec:
  host: shop.example.com
  trafficPolicy:{}
  subsets:
  - name: v1
    labels: {{version: v1}}
    trafficPolicy:{}
",
        indented("    "),
        indented("      ")
    )
}

/// A whole configuration, with all that is printed for one on the way to it.
fn bootstrap(text: &str) -> Value {
    let documents = yaml::documents(text).into_iter();
    let objects: Vec<Value> = documents
        .map(|document| serde_json::to_value(document.unwrap()).unwrap())
        .collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/tls");
    let callers = serde_json::json!({"admin": "127.0.0.1:0", "locality": "eu/a", "identity": {
        "certificate": folder.join("client.pem"), "privateKey": folder.join("client.key"), "caCertificates": folder.join("shop.pem")}});
    let (callers, findings) = Callers::from_json(callers.to_string().as_bytes());
    assert!(findings.is_empty(), "{findings:?}");
    let (manifests, findings) = Manifests::new(objects, &callers);
    assert!(findings.is_empty(), "{text}: {findings:?}");
    let settings = Settings {
        system_ca: folder.join("shop.pem"),
        ..Settings::default()
    };
    let configuration = Configuration::new(&manifests, &callers, &settings);
    configuration
        .unwrap_or_else(|findings| panic!("{text}: {findings:?}"))
        .bootstrap()
}

/// What Envoy says against a configuration; nothing if it takes it.
fn refusal(configuration: &Value, file: PathBuf) -> Option<String> {
    fs::write(&file, configuration.to_string()).unwrap();
    let mut envoy = Command::new(program());
    envoy.args(["--mode", "validate", "--log-level", "error", "--config-path"]);
    let output = envoy.arg(file).output().unwrap();
    (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn envoy_takes_every_field_of_a_policy() {
    let directory = tempfile::tempdir().unwrap();
    for policy in POLICIES {
        let text = format!("{SERVICE}---{}", rule(policy));
        let configuration = bootstrap(&text);
        let refusal = refusal(&configuration, directory.path().join("envoy.json"));
        assert_eq!(refusal, None, "{policy}");
    }
}

#[test]
fn envoy_takes_the_policies_of_every_golden() {
    let directory = tempfile::tempdir().unwrap();
    let cases = cases(&folder().join("named"));
    let rules = cases.iter().filter(|case| case.name.starts_with("dr-"));
    let refusals = rules.filter_map(|case| {
        let refusal = refusal(&bootstrap(&case.input_yaml), directory.path().join("envoy.json"))?;
        Some(format!("{}: {refusal}", case.name))
    });
    assert_eq!(refusals.collect::<Vec<_>>(), Vec::<String>::new());
}
