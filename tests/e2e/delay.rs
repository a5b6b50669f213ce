//! How exact a delay is, beside Envoy's own.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::envoy::Envoy;
use crate::support::http::get;
use crate::support::manifest::{service, virtual_service};
use crate::support::ports::Port;
use crate::support::switchyard::wasm;
use crate::support::turn;
use crate::support::upstream::{Behaviour, Upstream};

const REQUESTS: usize = 101;

#[tokio::test]
async fn a_delay_of_300_ms_is_as_exact_as_envoys_own() {
    let _turn = turn::alone().await;
    let upstream = Upstream::start(Behaviour::default()).await;
    let (ours, native) = (Port::reserve(), Port::reserve());
    let directory = tempfile::tempdir().unwrap();
    let mut bootstrap = bootstrap(&upstream, ours.address(), directory.path());
    add_native_twin(&mut bootstrap, native.address());
    let envoy = Envoy::start(&bootstrap, directory.path()).await;

    // One after the other and not at once: neither waits for the other's turn.
    let (mut by_us, mut natively) = (JoinSet::new(), JoinSet::new());
    for _ in 0..REQUESTS {
        for (answers, to) in [(&mut by_us, &ours), (&mut natively, &native)] {
            answers.spawn(get("web:8080", "/delayed").send(to.address()));
            tokio::time::sleep(Duration::from_millis(11)).await;
        }
    }
    let (by_us, natively) = (median(by_us).await, median(natively).await);
    println!("median of ours {by_us:?}, of Envoy's own {natively:?}");
    assert!(
        by_us.abs_diff(natively) <= Duration::from_millis(5),
        "{by_us:?} and {natively:?}"
    );
    let right = Duration::from_millis(298)..Duration::from_millis(320);
    assert!(
        right.contains(&by_us) && right.contains(&natively),
        "{by_us:?} and {natively:?}"
    );

    let stats = envoy.admin.stats().await;
    assert_eq!(
        stats.sum("wasmcustom.switchyard_delays_injected_total", ""),
        REQUESTS as u64
    );
    assert_eq!(stats.sum("http.", ".fault.delays_injected"), REQUESTS as u64);
}

async fn median(answers: JoinSet<crate::support::http::Answer>) -> Duration {
    let answers = answers.join_all().await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    let mut took: Vec<Duration> = answers.iter().map(|answer| answer.took).collect();
    took.sort();
    took[took.len() / 2]
}

/// What `switchyard bootstrap` makes of a delay.
fn bootstrap(upstream: &Upstream, listen: SocketAddr, directory: &std::path::Path) -> Value {
    let delay = "{fault: {delay: {percentage: {value: 100}, fixedDelay: 0.3s}}, route: [{destination: {host: web}}]}";
    let manifests = [
        service("web", 8080, &[("v1", upstream.address)]),
        virtual_service("web", &[delay]),
    ];
    let callers = json!({"callers": [{"name": "client", "ports": [{"number": 8080, "listen": listen.port()}]}]});
    let path = |name: &str| directory.join(name);
    std::fs::write(path("manifests.yaml"), manifests.join("---\n")).unwrap();
    std::fs::write(path("callers.json"), callers.to_string()).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_switchyard"))
        .args(["bootstrap", "--admin=127.0.0.1:0"])
        .args(["--filename".into(), path("manifests.yaml")])
        .args(["--callers".into(), path("callers.json")])
        .args(["--wasm".into(), wasm()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A listener like the first, with Envoy's own fault filter in the place of ours.
fn add_native_twin(bootstrap: &mut Value, listen: SocketAddr) {
    let listeners = bootstrap["static_resources"]["listeners"].as_array_mut().unwrap();
    let mut twin = listeners[0].clone();
    twin["name"] = "native".into();
    twin["address"]["socket_address"]["port_value"] = listen.port().into();
    let manager = &mut twin["filter_chains"][0]["filters"][0]["typed_config"];
    manager["stat_prefix"] = "native".into();
    let ours = &mut manager["http_filters"][0];
    assert!(ours["typed_config"]["@type"].as_str().unwrap().ends_with(".Wasm"));
    *ours = json!({"name": "envoy.filters.http.fault", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
        "delay": {"fixed_delay": "0.3s", "percentage": {"numerator": 100}},
    }});
    listeners.push(twin);
}
