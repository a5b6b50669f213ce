//! The configurations that are measured: what people write many rules of.

use serde_json::{Value, json};
use switchyard::dice::{Dice, Wyrand};
use switchyard::header::map::HeaderMap;

/// A way to write many rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// Rule i takes the user `user-i` by a header.
    Users,
    /// Rule i takes a path, exactly or as a prefix.
    Paths,
    /// Prefixes, headers, methods, query parameters, expressions for paths and cookies, as written in the wild.
    Mixed,
    /// Half as many services, each with a VirtualService of two rules.
    Hosts,
    /// Drawn from a seed: conditions of any kind on paths of any depth and on several headers, alone and together.
    Drawn(u64),
}

/// A request, and what takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Its method.
    pub method: &'static str,
    /// Its `:authority`.
    pub authority: String,
    /// Its path with its query.
    pub path: String,
    /// Its headers beyond those that every request has.
    pub headers: Vec<(&'static str, String)>,
}

/// A configuration, and for each rule a request that fulfils it (though an earlier one may as well). The last takes what is left.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// The Kubernetes objects.
    pub resources: Vec<Value>,
    /// A request for each rule.
    pub asks: Vec<Ask>,
}

/// What every request of a client has.
pub const HEADERS: [(&str, &str); 3] = [
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    ),
    (
        "accept",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    ),
    ("accept-encoding", "gzip, deflate, br"),
];

impl Shape {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Shape::Users => "users",
            Shape::Paths => "paths",
            Shape::Mixed => "mixed",
            Shape::Hosts => "hosts",
            Shape::Drawn(_) => "drawn",
        }
    }

    /// The cluster of the subset v1 of the first service.
    pub fn v1(self) -> &'static str {
        match self {
            Shape::Hosts => "outbound|9080|v1|s0.default.svc.cluster.local",
            _ => "outbound|9080|v1|reviews.default.svc.cluster.local",
        }
    }

    /// The configuration with `count` rules whose services listen on `ports`, one for each of the subsets v1, v2, v3.
    pub fn rules(self, count: usize, ports: [u16; 3]) -> Rules {
        if self == Shape::Hosts {
            return hosts(count / 2, ports);
        }
        let mut dice = Wyrand::new(match self {
            Shape::Drawn(seed) => seed,
            _ => 8,
        });
        let mut rules = Vec::new();
        let mut asks = Vec::new();
        for number in 0..count.saturating_sub(1) {
            let (rule, ask) = match self {
                Shape::Paths => path(number),
                Shape::Mixed => mixed(number, &mut dice),
                Shape::Drawn(_) => drawn(number, &mut dice),
                _ => user(number),
            };
            rules.push(rule);
            asks.push(ask);
        }
        rules.push(json!({"route": [to("reviews", "v1")]}));
        asks.push(Ask::new("/"));
        let mut resources = vec![virtual_service("reviews", rules), destination_rule("reviews")];
        resources.push(service_entry("reviews", ports));
        resources.push(service_entry("ratings", ports));
        Rules { resources, asks }
    }
}

impl Ask {
    /// A plain request.
    pub fn new(path: impl Into<String>) -> Self {
        Ask {
            method: "GET",
            authority: "reviews:9080".to_owned(),
            path: path.into(),
            headers: Vec::new(),
        }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The request as the library sees it, with headers that every request has.
    pub fn header_map(&self, common: &[(&str, &str)]) -> HeaderMap {
        let pseudo = [
            (":authority", self.authority.as_str()),
            (":path", &self.path),
            (":method", self.method),
            (":scheme", "http"),
        ];
        let own = self.headers.iter().map(|(name, value)| (*name, value.as_str()));
        pseudo.into_iter().chain(common.iter().copied()).chain(own).collect()
    }

    /// The request as HTTP/1.1 has it.
    pub fn bytes(&self) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\nhost: {}\r\n", self.method, self.path, self.authority);
        let own = self.headers.iter().map(|(name, value)| (*name, value.as_str()));
        for (name, value) in HEADERS.into_iter().chain(own) {
            text += &format!("{name}: {value}\r\n");
        }
        (text + "\r\n").into_bytes()
    }
}

fn user(number: usize) -> (Value, Ask) {
    let user = format!("user-{number}");
    let rule = json!({"match": [{"headers": {"end-user": {"exact": user}}}], "route": [to("reviews", "v2")]});
    (rule, Ask::new("/").with("end-user", user))
}

fn path(number: usize) -> (Value, Ask) {
    let path = format!("/shop/{}/item-{number}", number % 97);
    let (uri, path) = match number % 3 {
        0 => (json!({"prefix": format!("{path}/")}), format!("{path}/")),
        1 => (json!({"prefix": path}), path),
        _ => (json!({"exact": path}), path),
    };
    let subset = if number.is_multiple_of(2) { "v3" } else { "v2" };
    let rule = json!({"match": [{"uri": uri}], "route": [to("reviews", subset)]});
    (rule, Ask::new(path))
}

fn mixed(number: usize, dice: &mut Wyrand) -> (Value, Ask) {
    let path = format!("/api/team-{}/v{}/{number}", number % 211, number % 3);
    let prefix = json!({"prefix": path});
    let ask = Ask::new(path.clone());
    let (condition, ask) = match below(dice, 100) {
        0..45 => (json!({"uri": prefix}), ask),
        45..70 => {
            let value = pick(dice, &["always", "true"]);
            let condition = json!({"uri": prefix, "headers": {"x-canary": {"exact": value}}});
            (condition, ask.with("x-canary", value))
        }
        70..80 => {
            let cookie = format!("user=u{number}");
            let condition = json!({"headers": {"cookie": {"regex": format!("^(.*?;)?({cookie})(;.*)?$")}}});
            (condition, Ask::new("/").with("cookie", cookie))
        }
        80..90 => {
            let method = pick(dice, &["GET", "POST"]);
            (
                json!({"uri": prefix, "method": {"exact": method}}),
                Ask { method, ..ask },
            )
        }
        90..95 => {
            let version = format!("v{}", 1 + below(dice, 4));
            let condition = json!({"uri": prefix, "queryParams": {"ver": {"exact": version}}});
            (condition, Ask::new(format!("{path}?ver={version}")))
        }
        _ => {
            let condition = json!({"uri": {"regex": format!("/api/[a-z]+/{number}/[0-9]+")}});
            (condition, Ask::new(format!("/api/x/{number}/7")))
        }
    };
    let mut rule = json!({"match": [condition], "route": [to("reviews", pick(dice, &["v1", "v2", "v3"]))]});
    if let Some(fields) = rule.as_object_mut() {
        if below(dice, 10) == 0 {
            fields.insert("timeout".to_owned(), "5s".into());
        }
        if below(dice, 10) == 0 {
            let headers = json!({"request": {"set": {"x-team": number.to_string()}}});
            fields.insert("headers".to_owned(), headers);
        }
    }
    (rule, ask)
}

fn drawn(number: usize, dice: &mut Wyrand) -> (Value, Ask) {
    const WORDS: [&str; 8] = ["api", "shop", "v1", "v2", "users", "orders", "static", "admin"];
    let mut path = String::new();
    for _ in 0..=below(dice, 3) {
        path += &format!("/{}", pick(dice, &WORDS));
    }
    path += &format!("/{}-{number}", pick(dice, &WORDS));
    let mut condition = serde_json::Map::new();
    let mut ask = Ask::new("/");
    let kinds = 1 + below(dice, 31);
    if kinds & 1 != 0 || kinds == 16 {
        let (uri, path) = match below(dice, 4) {
            0 => (json!({"exact": path}), path),
            1 => (json!({"regex": format!("{path}/[0-9]+")}), format!("{path}/{number}")),
            _ => (json!({"prefix": path}), format!("{path}/x")),
        };
        condition.insert("uri".to_owned(), uri);
        ask.path = path;
    }
    let mut headers = serde_json::Map::new();
    for (kind, name) in [(2, "x-tenant"), (4, "x-group"), (8, "cookie")] {
        if kinds & kind != 0 {
            let value = format!("{name}-{}", number as u64 / (1 + below(dice, 4)));
            let (matcher, value) = match (kind, below(dice, 4)) {
                (8, _) => (
                    json!({"regex": format!("^(.*?;)?(session={value})(;.*)?$")}),
                    format!("session={value}"),
                ),
                (_, 0) => (json!({"prefix": format!("{value}.")}), format!("{value}.a")),
                (_, 1) => (json!({"regex": format!("{value}[a-z]*")}), value),
                _ => (json!({"exact": value}), value),
            };
            headers.insert(name.to_owned(), matcher);
            ask.headers.push((name, value));
        }
    }
    if !headers.is_empty() {
        condition.insert("headers".to_owned(), headers.into());
    }
    if kinds & 16 != 0 {
        ask.method = pick(dice, &["GET", "POST"]);
        condition.insert("method".to_owned(), json!({"exact": ask.method}));
    }
    let rule = json!({"match": [condition], "route": [to("reviews", pick(dice, &["v2", "v3"]))]});
    (rule, ask)
}

fn hosts(count: usize, ports: [u16; 3]) -> Rules {
    let mut rules = Rules {
        resources: Vec::new(),
        asks: Vec::new(),
    };
    for number in 0..count {
        let name = format!("s{number}");
        let jason = json!({"match": [{"headers": {"end-user": {"exact": "jason"}}}], "route": [to(&name, "v2")]});
        let rest = json!({"route": [to(&name, "v1")]});
        rules.resources.push(service_entry(&name, ports));
        rules.resources.push(destination_rule(&name));
        rules.resources.push(virtual_service(&name, vec![jason, rest]));
        let ask = Ask {
            authority: format!("{name}:9080"),
            ..Ask::new("/")
        };
        rules.asks.push(ask.clone().with("end-user", "jason"));
        rules.asks.push(ask);
    }
    rules
}

/// A destination of a rule.
pub fn to(service: &str, subset: &str) -> Value {
    json!({"destination": {"host": service, "subset": subset}})
}

/// A VirtualService with rules.
pub fn virtual_service(name: &str, http: Vec<Value>) -> Value {
    object("VirtualService", name, json!({"hosts": [name], "http": http}))
}

/// A DestinationRule with the subsets v1, v2, v3.
pub fn destination_rule(name: &str) -> Value {
    let subsets = ["v1", "v2", "v3"].map(|version| json!({"name": version, "labels": {"version": version}}));
    object("DestinationRule", name, json!({"host": name, "subsets": subsets}))
}

/// A service on port 9080 whose subsets are on this machine's `ports`.
pub fn service_entry(name: &str, ports: [u16; 3]) -> Value {
    let endpoint = |(index, port): (usize, u16)| json!({"address": "127.0.0.1", "ports": {"http": port}, "labels": {"version": format!("v{}", index + 1)}});
    let endpoints: Vec<Value> = ports.into_iter().enumerate().map(endpoint).collect();
    let spec = json!({
        "hosts": [format!("{name}.default.svc.cluster.local")],
        "location": "MESH_INTERNAL",
        "resolution": "STATIC",
        "ports": [{"number": 9080, "name": "http", "protocol": "HTTP"}],
        "endpoints": endpoints,
    });
    object("ServiceEntry", name, spec)
}

fn object(kind: &str, name: &str, spec: Value) -> Value {
    json!({
        "apiVersion": "networking.istio.io/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "default"},
        "spec": spec,
    })
}

fn below(dice: &mut Wyrand, bound: u64) -> u64 {
    dice.next() % bound
}

fn pick<'a>(dice: &mut Wyrand, of: &[&'a str]) -> &'a str {
    let index = below(dice, of.len() as u64) as usize;
    of.get(index).copied().unwrap_or_default()
}
