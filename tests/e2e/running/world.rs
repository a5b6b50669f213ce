//! What the manifests say, and so what clients may see.

use std::time::Duration;

use super::clients::Ask;
use super::instance::Instance;
use super::message as grpc;
use crate::support::http::Answer;
use crate::support::manifest::{endpoint_slice, service, service_of, subsets, virtual_service};

/// Each answer that a rule sent says by this header which change the rule is of.
pub const CHANGE: &str = "x-change";
/// Of all requests that a rule matches.
const ALL: &str = "percentage: {value: 100}";
/// How long `/delayed` is delayed.
const DELAY: Duration = Duration::from_millis(30);
/// How early Envoy's timers may be, its own fault filter's as well: they go by a clock that moves every 4 ms on most machines.
const TICK: Duration = Duration::from_millis(4);

/// The services `web` (HTTP/1.1) and `echo` (gRPC), and `late`, which comes and goes on a port of its own.
#[derive(Clone)]
pub struct Instances {
    pub v1: Instance,
    /// Beside `v1`, of the same version.
    pub v1b: Instance,
    pub v2: Instance,
    pub v3: Instance,
    pub shadow: Instance,
    pub late: Instance,
    pub echo_v1: Instance,
    pub echo_v2: Instance,
}

impl Instances {
    pub async fn start() -> Self {
        Self {
            v1: Instance::start("v1").await,
            v1b: Instance::start("v1b").await,
            v2: Instance::start("v2").await,
            v3: Instance::start("v3").await,
            shadow: Instance::start("shadow").await,
            late: Instance::start("late").await,
            echo_v1: Instance::start("echo-v1").await,
            echo_v2: Instance::start("echo-v2").await,
        }
    }

    /// Those that serve `web` and `echo`.
    pub fn of_clients(&self) -> [&Instance; 6] {
        [&self.v1, &self.v1b, &self.v2, &self.v3, &self.echo_v1, &self.echo_v2]
    }
}

/// What is asked for at one time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct World {
    /// The number of the change that the rules are of.
    pub change: u32,
    /// Of 100 requests.
    pub to_v2: u32,
    /// Whether jason gets v2.
    pub jason: bool,
    /// What `/fault` is answered with; over gRPC it is ABORTED.
    pub abort: Option<u16>,
    /// Whether `/delayed` waits.
    pub delay: bool,
    /// Whether there is a subset v3, and `/beta` goes there.
    pub v3: bool,
    /// Whether copies of `/` go to the shadow.
    pub mirror: bool,
    /// Whether rules have retries that no header can ask for.
    pub retries: bool,
    /// The breaker's limit, out of reach.
    pub max_connections: u32,
    /// Whether v1 has a second endpoint.
    pub v1b: bool,
    /// Whether there is the service `late`.
    pub late: bool,
}

impl World {
    /// The files that say so, by name. Each is whole in itself.
    pub fn files(&self, port: u16, late: u16, instances: &Instances) -> Vec<(&'static str, String)> {
        let web = [
            ("v1", instances.v1.address),
            ("v2", instances.v2.address),
            ("v3", instances.v3.address),
        ];
        let mut web = service("web", port, &web);
        if self.v1b {
            web += "---\n";
            web += &endpoint_slice("web", "v1b", "name: http", "v1", instances.v1b.address);
        }
        let echo = [("v1", instances.echo_v1.address), ("v2", instances.echo_v2.address)];
        let shadow = [("v1", instances.shadow.address)];
        let mut files = vec![
            ("web.yaml", web),
            ("echo.yaml", service_of("echo", "name: grpc", port, &echo)),
            ("shadow.yaml", service("shadow", port, &shadow)),
            ("rules.yaml", self.rules()),
        ];
        if self.late {
            files.push(("late.yaml", service("late", late, &[("v1", instances.late.address)])));
        }
        files
    }

    fn rules(&self) -> String {
        let versions: &[&str] = if self.v3 { &["v1", "v2", "v3"] } else { &["v1", "v2"] };
        let pool = format!(
            "  trafficPolicy: {{connectionPool: {{tcp: {{maxConnections: {}}}}}}}\n",
            self.max_connections
        );
        let rules = [
            subsets("web", versions) + &pool,
            subsets("echo", &["v1", "v2"]),
            virtual_service("web", &self.web()),
            virtual_service("echo", &self.echo()),
        ];
        rules.join("---\n")
    }

    fn web(&self) -> Vec<String> {
        let to = |subset| format!("route: [{{destination: {{host: web, subset: {subset}}}}}]");
        let mut rules = Vec::new();
        if let Some(status) = self.abort {
            let fault = format!("fault: {{abort: {{{ALL}, httpStatus: {status}}}}}");
            rules.push(self.rule("fault", format!("{}, {fault}, {}", at("/fault"), to("v1"))));
        }
        if self.delay {
            let fault = format!("fault: {{delay: {{{ALL}, fixedDelay: {}ms}}}}", DELAY.as_millis());
            rules.push(self.rule("delayed", format!("{}, {fault}, {}", at("/delayed"), to("v1"))));
        }
        if self.v3 {
            rules.push(self.rule("beta", format!("{}, {}", at("/beta"), to("v3"))));
        }
        if self.jason {
            let jason = "match: [{headers: {end-user: {exact: jason}}}]";
            rules.push(self.rule("jason", format!("{jason}, {}", to("v2"))));
        }
        let mirror = if self.mirror { ", mirror: {host: shadow}" } else { "" };
        let retries = if self.retries {
            ", retries: {attempts: 1, backoff: 50ms}"
        } else {
            ""
        };
        rules.push(self.rule("web", self.split("web") + mirror + retries));
        rules
    }

    fn echo(&self) -> Vec<String> {
        let mut rules = Vec::new();
        if self.abort.is_some() {
            let fault = format!("fault: {{abort: {{{ALL}, grpcStatus: ABORTED}}}}");
            rules.push(self.rule("fault", format!("{}, {fault}, {}", at("/fault"), self.split("echo"))));
        }
        rules.push(self.rule("echo", self.split("echo")));
        rules
    }

    fn split(&self, host: &str) -> String {
        let to = |subset, weight| format!("{{destination: {{host: {host}, subset: {subset}}}, weight: {weight}}}");
        format!("route: [{}, {}]", to("v1", 100 - self.to_v2), to("v2", self.to_v2))
    }

    fn rule(&self, name: &str, text: String) -> String {
        let change = self.change;
        format!("{{name: {name}, {text}, headers: {{response: {{set: {{{CHANGE}: '{change}'}}}}}}}}")
    }

    /// Whether this answer, which says that it is of these rules, is what they ask for.
    pub fn asks_for(&self, ask: Ask, is_grpc: bool, answer: &Answer) -> bool {
        if let Some(status) = self.abort.filter(|_| ask == Ask::Fault) {
            return is_abort(status, is_grpc, answer);
        }
        let instance = answer.header("x-instance");
        let v1 = ["v1", "v1b", "echo-v1"].contains(&instance);
        let v2 = ["v2", "echo-v2"].contains(&instance);
        let is_right = match ask {
            Ask::Delayed if self.delay && !is_grpc => v1 && answer.took + TICK >= DELAY,
            Ask::Beta if self.v3 && !is_grpc => instance == "v3",
            Ask::Jason if self.jason && !is_grpc => v2,
            _ => v1 && self.to_v2 < 100 || v2 && self.to_v2 > 0,
        };
        is_right && answer.status == 200 && is_whole(ask, is_grpc, instance, answer)
    }
}

fn is_abort(status: u16, is_grpc: bool, answer: &Answer) -> bool {
    match is_grpc {
        false => answer.status == status && answer.text() == "fault filter abort",
        true => answer.status == 200 && answer.header("grpc-status") == "10",
    }
}

fn is_whole(ask: Ask, is_grpc: bool, instance: &str, answer: &Answer) -> bool {
    let pieces = ask.pieces();
    match is_grpc {
        false => answer.text() == instance.repeat(pieces),
        true => {
            answer.trailers.get(grpc::STATUS).is_some_and(|status| status == "0")
                && grpc::messages(answer.body.clone()) == vec![instance.as_bytes(); pieces]
        }
    }
}

fn at(path: &str) -> String {
    format!("match: [{{uri: {{exact: {path}}}}}]")
}
