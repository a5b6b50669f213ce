//! A service with two versions, and an Envoy in front of them.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::http::get;
use super::manifest::{service, subsets, virtual_service};
use super::ports::Port;
use super::switchyard::Switchyard;
use super::upstream::{Behaviour, Upstream};

/// The last rule of all.
pub const TO_V1: &str = "{route: [{destination: {host: web, subset: v1}}]}";

/// An Envoy in front of services at port 8080.
pub struct Front {
    pub switchyard: Switchyard,
    /// Where it listens.
    pub address: SocketAddr,
    _held: Port,
}

impl Front {
    /// With options of the filter's.
    pub async fn of(options: Value, manifests: &[String]) -> Self {
        let listener = Port::reserve();
        let address = listener.address();
        let caller = json!({"name": "client", "ports": [{"number": 8080, "listen": address.port()}]});
        let callers = json!({"options": options, "callers": [caller]});
        Self {
            switchyard: Switchyard::start(&callers.to_string(), manifests).await,
            address,
            _held: listener,
        }
    }
}

/// The service `web:8080`, whose versions the test has in its hands.
pub struct Web {
    pub v1: Upstream,
    pub v2: Upstream,
    pub switchyard: Switchyard,
    /// Where Envoy listens.
    pub address: SocketAddr,
    _held: (Port, Port),
}

impl Web {
    /// With these rules, and after them everything to v1. `plain` is served by v1 and has no rules. Nobody serves `empty`, and who should serve `refused` does not listen.
    pub async fn with(rules: &[&str]) -> Self {
        Self::with_options(json!({}), rules).await
    }

    /// The same, where the filter has these options.
    pub async fn with_options(options: Value, rules: &[&str]) -> Self {
        let v1 = Upstream::start(Behaviour::default()).await;
        let v2 = Upstream::start(Behaviour::default()).await;
        let nobody = Port::reserve();
        let manifests = [
            service("web", 8080, &[("v1", v1.address), ("v2", v2.address)]),
            service("plain", 8080, &[("v1", v1.address)]),
            service("empty", 8080, &[]),
            service("refused", 8080, &[("v1", nobody.address())]),
            subsets("web", &["v1", "v2"]),
            virtual_service("web", &[rules, &[TO_V1]].concat()),
        ];
        let front = Front::of(options, &manifests).await;
        Self {
            v1,
            v2,
            switchyard: front.switchyard,
            address: front.address,
            _held: (front._held, nobody),
        }
    }

    /// The worker that served so far still does, and nothing that went before is left open.
    pub async fn assert_unharmed(&mut self) {
        let answer = get("web:8080", "/still-there").send(self.address).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (200, "upstream"));
        self.switchyard.assert_unharmed().await;
    }
}
