//! A listener with our filter, and beside it, in the same Envoy, one without.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::envoy::Envoy;
use super::ports::Port;
use super::switchyard::wasm;

/// What `switchyard bootstrap` makes, twice.
pub struct Twins {
    pub envoy: Envoy,
    pub ours: SocketAddr,
    /// With Istio's default routes and no filter of ours.
    pub native: SocketAddr,
    _ports: [Port; 2],
    _directory: TempDir,
}

impl Twins {
    /// In front of services at port 8080. `edit` gets the other listener's connection manager, less our filter.
    pub async fn start(manifests: &[String], edit: impl FnOnce(&mut Value)) -> Self {
        Self::with_options(&json!({}), manifests, edit).await
    }

    /// The same, where the filter has these options.
    pub async fn with_options(options: &Value, manifests: &[String], edit: impl FnOnce(&mut Value)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let ports = [Port::reserve(), Port::reserve()];
        let [ours, native] = ports.each_ref().map(Port::address);
        let mut bootstrap = bootstrap(options, manifests, ours, directory.path());
        let listeners = bootstrap["static_resources"]["listeners"].as_array_mut().unwrap();
        let mut twin = listeners[0].clone();
        twin["name"] = "native".into();
        twin["address"]["socket_address"]["port_value"] = native.port().into();
        let manager = &mut twin["filter_chains"][0]["filters"][0]["typed_config"];
        manager["stat_prefix"] = "native".into();
        let filters = manager["http_filters"].as_array_mut().unwrap();
        let others = filters.len() - 1;
        filters.retain(|filter| !filter["typed_config"]["@type"].as_str().unwrap().ends_with(".Wasm"));
        assert_eq!(filters.len(), others);
        edit(manager);
        listeners.push(twin);
        Self {
            envoy: Envoy::start(&bootstrap, directory.path()).await,
            ours,
            native,
            _ports: ports,
            _directory: directory,
        }
    }
}

fn bootstrap(options: &Value, manifests: &[String], listen: SocketAddr, directory: &Path) -> Value {
    let caller = json!({"name": "client", "ports": [{"number": 8080, "listen": listen.port()}]});
    let callers = json!({"options": options, "callers": [caller]});
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
