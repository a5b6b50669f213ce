//! What these tests begin with.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::time::sleep;

use super::clients::{Clients, Course};
use super::world::{Instances, World};
use crate::support::ports::Port;
use crate::support::switchyard::Switchyard;

/// The services, an Envoy of two workers before them, and clients that have begun.
pub struct Stage {
    pub switchyard: Switchyard,
    pub instances: Instances,
    pub clients: Clients,
    /// Where Envoy listens for `web` and `echo`.
    pub port: Port,
    /// Where it listens for `late`.
    pub late: Port,
    /// What the manifests say.
    pub world: World,
    /// The manifests that were written last.
    pub written: Vec<(&'static str, String)>,
}

/// Waits until this holds, for 10 s at most.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < Duration::from_secs(10), "never {what}");
        sleep(Duration::from_millis(5)).await;
    }
}

impl Stage {
    pub async fn start(drain_time: &str) -> Self {
        let (port, late) = (Port::reserve(), Port::reserve());
        let instances = Instances::start().await;
        let world = World {
            max_connections: 100_000,
            ..World::default()
        };
        let files = world.files(port.address().port(), late.address().port(), &instances);
        let callers = json!({"accessLog": "", "callers": [{"name": "client"}]}).to_string();
        let manifests = files.iter().map(|(name, text)| (*name, text));
        let switchyard = Switchyard::with(&callers, manifests, &["--concurrency=2", drain_time]).await;
        let course = Arc::new(Course::default());
        course.enter(&world);
        let clients = Clients::start(port.address(), course);
        Self {
            switchyard,
            instances,
            clients,
            port,
            late,
            world,
            written: files,
        }
    }

    /// What the world's manifests are.
    pub fn files(&self) -> Vec<(&'static str, String)> {
        let [port, late] = [&self.port, &self.late].map(|port| port.address().port());
        self.world.files(port, late, &self.instances)
    }

    /// Writes one of the world's manifests.
    pub fn write(&self, name: &str) {
        let files = self.files();
        let (name, text) = files.iter().find(|(file, _)| *file == name).unwrap();
        self.switchyard.write(name, text);
    }
}
