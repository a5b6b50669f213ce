//! A scenario of `envoy/samples`: its services, and an Envoy between them that follows manifests; or those of `envoy/compose.yaml`.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sample_services::{Instance, Log};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::container::{self, Container};
use super::manifest::yaml;
use super::ports::Port;
use super::switchyard::Switchyard;

pub struct Scenario {
    pub switchyard: Switchyard,
    name: &'static str,
    /// By instance, as `reviews-v1`.
    services: BTreeMap<String, SocketAddr>,
    /// By caller, as `productpage`.
    listeners: BTreeMap<String, SocketAddr>,
    /// Held for Envoy's listeners.
    _ports: Ports,
    logs: Logs,
}

/// Where the instances' own logs are.
enum Logs {
    Files(TempDir),
    /// What the containers say, less so many lines of the tests before, by instance.
    Containers(BTreeMap<String, usize>),
}

/// The instances that `envoy/compose.yaml` runs for a scenario's rows; each is a service there.
const COMPOSED: [&str; 4] = [
    "kim-payment-service-v1",
    "kim-payment-service-v2",
    "httpbin-v1",
    "httpbin-v2",
];

/// Free ports, by the fixed ones that the samples have for Envoy's listeners.
#[derive(Default)]
struct Ports(BTreeMap<u16, Port>);

impl Ports {
    fn free(&mut self, fixed: u16) -> SocketAddr {
        self.0.entry(fixed).or_insert_with(Port::reserve).address()
    }
}

impl Scenario {
    /// Starts a scenario's services, and an Envoy with these manifests of `testdata/scenarios`.
    pub async fn start(name: &'static str, manifests: &[&str]) -> Self {
        Self::with(name, manifests, &[]).await
    }

    /// As [`start`](Self::start), with more said of some instances: `("httpbin-v2", "delay-ms=2000")`.
    pub async fn with(name: &'static str, manifests: &[&str], more: &[(&str, &str)]) -> Self {
        if let Some(rules) = container::rules() {
            assert!(more.is_empty(), "compose.yaml says how instances run");
            return Self::composed(name, manifests, rules).await;
        }
        let mut ports = Ports::default();
        let logs = tempfile::tempdir().unwrap();
        let demo = yaml(&sample(name, "scenario.yaml"));
        let (mut instances, mut fixed) = (Vec::new(), Vec::new());
        for spec in demo["services"].as_array().unwrap() {
            let (instance, port) = instance(spec.as_str().unwrap(), more, &mut ports);
            fixed.push((port, instance.id.clone()));
            instances.push(instance);
        }
        let log = Log::new(Some(logs.path().to_owned()), true).unwrap();
        let started = sample_services::start(instances, &log).await.unwrap();
        let services: BTreeMap<String, SocketAddr> = started.into_iter().collect();
        let mut known = sample(name, "services.yaml");
        for (port, id) in fixed {
            let own = services[&id].port();
            known = known.replace(&format!(": {port}\n"), &format!(": {own}\n"));
        }
        let (callers, listeners) = callers(name, &mut ports);
        let manifests = std::iter::once(known).chain(manifests.iter().map(|file| manifest(name, file)));
        let switchyard = Switchyard::start(&callers, &manifests.collect::<Vec<_>>()).await;
        Self {
            switchyard,
            name,
            services,
            listeners,
            _ports: ports,
            logs: Logs::Files(logs),
        }
    }

    /// The scenario in the containers of `envoy/compose.yaml`, asked by the ports that it publishes. Its services and its Envoy are there; only the rules are
    /// this test's own.
    async fn composed(name: &'static str, manifests: &[&str], rules: PathBuf) -> Self {
        let envoy = Container::of("envoy");
        let at = |id: &str, address| (id.to_owned(), address);
        let (gateway, client) = (envoy.published(8080), envoy.published(18000));
        let kim = Container::of("kim-gateway-v1").published(8080);
        let manifests: Vec<String> = manifests.iter().map(|file| manifest(name, file)).collect();
        let switchyard = Switchyard::in_container(envoy, rules, &manifests).await;
        let logged = COMPOSED.map(|id| (id.to_owned(), Container::of(id).log().len()));
        Self {
            switchyard,
            name,
            // The page is asked for at the gateway, as people do.
            services: BTreeMap::from([at("productpage-v1", gateway), at("kim-gateway-v1", kim)]),
            listeners: BTreeMap::from([at("ingress", gateway), at("client", client)]),
            _ports: Ports::default(),
            logs: Logs::Containers(BTreeMap::from(logged)),
        }
    }

    /// Applies a manifest of the scenario's, as `kubectl apply` does, and waits until it is live.
    pub async fn apply(&mut self, file: &str) {
        self.switchyard.apply(&manifest(self.name, file)).await;
    }

    /// Where an instance listens: `productpage-v1`.
    pub fn service(&self, id: &str) -> SocketAddr {
        self.services[id]
    }

    /// Where Envoy listens on behalf of a caller: `productpage`.
    pub fn listener(&self, caller: &str) -> SocketAddr {
        self.listeners[caller]
    }

    /// An instance's own log, as far as it is written.
    pub fn log(&self, id: &str) -> Vec<Value> {
        match &self.logs {
            Logs::Files(logs) => {
                let lines = fs::read_to_string(logs.path().join(format!("{id}.log"))).unwrap();
                lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
            }
            Logs::Containers(before) => Container::of(id).log().split_off(before[id]),
        }
    }

    /// An instance's own log, as soon as it has so many lines.
    pub async fn log_of(&self, id: &str, lines: usize) -> Vec<Value> {
        let begin = Instant::now();
        while self.log(id).len() < lines {
            assert!(
                begin.elapsed() < Duration::from_secs(10),
                "{id} got only {:#?}",
                self.log(id)
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.log(id)
    }
}

/// What `testdata/scenarios` has under a name.
pub fn manifest(scenario: &str, file: &str) -> String {
    read(&format!("testdata/scenarios/{scenario}/{file}.yaml"))
}

fn sample(scenario: &str, file: &str) -> String {
    read(&format!("envoy/samples/{scenario}/{file}"))
}

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// An instance on a free port, and the port that the sample has for it.
fn instance(spec: &str, more: &[(&str, &str)], ports: &mut Ports) -> (Instance, u16) {
    let mut listens_on = 0;
    let mut pair = |pair: &str| match pair.split_once('=') {
        Some(("listen", address)) => {
            listens_on = port(address);
            "listen=127.0.0.1:0".to_owned()
        }
        Some(("via", address)) => format!("via={}", ports.free(port(address))),
        _ => pair.to_owned(),
    };
    let spec: Vec<String> = spec.split(',').map(&mut pair).collect();
    let spec = spec.join(",");
    let instance: Instance = spec.parse().unwrap();
    let own = more.iter().filter(|(id, _)| *id == instance.id);
    let spec = own.fold(spec, |spec, (_, more)| format!("{spec},{more}"));
    (spec.parse().unwrap(), listens_on)
}

fn port(address: &str) -> u16 {
    address.rsplit_once(':').unwrap().1.parse().unwrap()
}

/// The sample's callers with free ports, and where each listens. Each calls one service port.
fn callers(scenario: &str, ports: &mut Ports) -> (String, BTreeMap<String, SocketAddr>) {
    let mut callers = yaml(&sample(scenario, "callers.yaml"));
    callers["admin"] = "127.0.0.1:0".into();
    let mut listeners = BTreeMap::new();
    for caller in callers["callers"].as_array_mut().unwrap() {
        if caller["gateway"] == true {
            caller["ports"] = json!([{"number": 80, "listen": 80 + caller["offset"].as_u64().unwrap()}]);
        }
        let listen = &mut caller["ports"][0]["listen"];
        let free = ports.free(listen.as_u64().unwrap().try_into().unwrap());
        *listen = free.port().into();
        listeners.insert(caller["name"].as_str().unwrap().to_owned(), free);
    }
    (callers.to_string(), listeners)
}
