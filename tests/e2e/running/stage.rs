//! What these tests begin with.

use std::sync::Arc;

use serde_json::json;

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
    /// The manifests.
    pub files: Vec<(&'static str, String)>,
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
            files,
        }
    }
}
