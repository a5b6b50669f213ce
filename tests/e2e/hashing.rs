//! Consistent hashing: one key stays on one endpoint of several, and keys spread.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use serde_json::json;

use crate::support::http::{Answer, Call, Connection, get};
use crate::support::manifest::{service, virtual_service};
use crate::support::ports::Port;
use crate::support::switchyard::Switchyard;
use crate::support::turn;
use crate::support::upstream::{Behaviour, Upstream};

/// Services, each with all of the endpoints, and what their keys are.
const SERVICES: [(&str, &str); 6] = [
    (
        "header-ring",
        "httpHeaderName: x-user, ringHash: {minimumRingSize: 4096}",
    ),
    ("header-maglev", "httpHeaderName: x-user, maglev: {tableSize: 65537}"),
    ("query-ring", "httpQueryParameterName: user"),
    (
        "query-maglev",
        "httpQueryParameterName: user, maglev: {tableSize: 65537}",
    ),
    ("source", "useSourceIp: true"),
    (
        "cookie",
        "httpCookie: {name: user, path: /, ttl: 60s}, maglev: {tableSize: 65537}",
    ),
];
const ENDPOINTS: usize = 4;
/// So many keys leave one of four endpoints out less than once in a million times.
const KEYS: usize = 100;
/// How often each is used.
const TIMES: usize = 3;

/// Endpoints that answer with their number, behind each service once with a VirtualService and once (`plain-`) without.
struct Hashed {
    _switchyard: Switchyard,
    _endpoints: Vec<Upstream>,
    _held: Port,
    address: SocketAddr,
}

impl Hashed {
    async fn start() -> Self {
        let mut endpoints = Vec::new();
        for number in 0..ENDPOINTS {
            let body = number.to_string().into();
            endpoints.push(
                Upstream::start(Behaviour {
                    body,
                    ..Behaviour::default()
                })
                .await,
            );
        }
        let versions: Vec<String> = (0..ENDPOINTS).map(|number| format!("v{number}")).collect();
        let versions: Vec<_> = versions
            .iter()
            .zip(&endpoints)
            .map(|(version, endpoint)| (version.as_str(), endpoint.address))
            .collect();
        let mut manifests = Vec::new();
        for (name, hash) in SERVICES {
            for host in [name.to_owned(), format!("plain-{name}")] {
                manifests.push(service(&host, 8080, &versions));
                manifests.push(format!(
                    "\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: {host}}}
spec: {{host: {host}, trafficPolicy: {{loadBalancer: {{consistentHash: {{{hash}}}}}}}}}
"
                ));
            }
            let rule = format!("{{route: [{{destination: {{host: {name}}}}}]}}");
            manifests.push(virtual_service(name, &[&rule]));
        }
        let held = Port::reserve();
        let address = held.address();
        let callers = json!({"callers": [{"name": "client", "ports": [{"number": 8080, "listen": address.port()}]}]});
        Self {
            _switchyard: Switchyard::start(&callers.to_string(), &manifests).await,
            _endpoints: endpoints,
            _held: held,
            address,
        }
    }

    /// Who answers each key; fails if it is not always the same.
    async fn endpoints(&self, key: impl Fn(usize) -> Call) -> BTreeSet<String> {
        let mut connection = Connection::open(self.address).await.unwrap();
        let mut all = BTreeSet::new();
        for number in 0..KEYS {
            let mut own = BTreeSet::new();
            for _ in 0..TIMES {
                own.insert(endpoint(&connection.send(key(number)).await));
            }
            assert_eq!(own.len(), 1, "key {number}: {own:?}");
            all.extend(own);
        }
        all
    }
}

fn endpoint(answer: &Answer) -> String {
    assert_eq!(answer.status, 200);
    answer.text().to_owned()
}

/// Both of a service's names.
fn both(service: &str) -> [String; 2] {
    ["", "plain-"].map(|kind| format!("{kind}{service}:8080"))
}

#[tokio::test]
async fn one_key_stays_on_one_endpoint_and_keys_spread() {
    let _turn = turn::alongside().await;
    let hashed = Hashed::start().await;
    for host in ["header-ring", "header-maglev"]
        .iter()
        .flat_map(|service| both(service))
    {
        let key = |number: usize| get(&host, "/").header("x-user", format!("user-{number}"));
        assert_eq!(hashed.endpoints(key).await.len(), ENDPOINTS, "{host}");
        // Without a key anybody answers.
        let mut any = BTreeSet::new();
        let mut connection = Connection::open(hashed.address).await.unwrap();
        for _ in 0..KEYS {
            any.insert(endpoint(&connection.send(get(&host, "/")).await));
        }
        assert_eq!(any.len(), ENDPOINTS, "{host}");
    }
    for host in ["query-ring", "query-maglev"].iter().flat_map(|service| both(service)) {
        let key = |number: usize| get(&host, &format!("/?page=1&user=user-{number}"));
        assert_eq!(hashed.endpoints(key).await.len(), ENDPOINTS, "{host}");
    }
    for host in both("source") {
        let mut all = BTreeSet::new();
        for number in 1..=60 {
            let mut own = BTreeSet::new();
            for _ in 0..TIMES {
                let mut connection = Connection::open_from(IpAddr::from([127, 0, 9, number]), hashed.address)
                    .await
                    .unwrap();
                own.insert(endpoint(&connection.send(get(&host, "/")).await));
            }
            assert_eq!(own.len(), 1, "{host} from {number}: {own:?}");
            all.extend(own);
        }
        assert_eq!(all.len(), ENDPOINTS, "{host}");
    }
}

#[tokio::test]
async fn a_client_without_a_cookie_gets_one_and_stays_where_it_is() {
    let _turn = turn::alongside().await;
    let hashed = Hashed::start().await;
    for host in both("cookie") {
        let mut all = BTreeSet::new();
        let mut cookies = BTreeSet::new();
        for _ in 0..KEYS {
            let first = get(&host, "/").send(hashed.address).await;
            let (cookie, attributes) = first.header("set-cookie").split_once("; ").unwrap();
            assert_eq!(attributes, "Max-Age=60; Path=/; HttpOnly");
            for _ in 0..TIMES {
                let next = get(&host, "/").header("cookie", cookie).send(hashed.address).await;
                assert_eq!(
                    (next.text(), next.header("set-cookie")),
                    (first.text(), ""),
                    "{host} {cookie}"
                );
            }
            cookies.insert(cookie.to_owned());
            all.insert(endpoint(&first));
        }
        assert_eq!((cookies.len(), all.len()), (KEYS, ENDPOINTS), "{host}");
    }
}
