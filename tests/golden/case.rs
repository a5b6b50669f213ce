//! A case, ready to be asked.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use switchyard::yaml;

use crate::goldens;
use crate::outcome::Outcome;

/// A folder's manifests, and the requests to each of its listeners.
pub struct Case {
    /// The folder's name.
    pub name: String,
    /// The manifests.
    pub resources: Vec<Value>,
    /// Who the proxy is.
    pub proxy: Proxy,
    /// The requests, by listener.
    pub listeners: BTreeMap<u16, Vec<Exchange>>,
}

/// Who the proxy is.
pub struct Proxy {
    /// Its namespace.
    pub namespace: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Whether it stands at the edge.
    pub is_gateway: bool,
}

/// A request and what may come of it.
pub struct Exchange {
    /// The line it stands on.
    pub line: usize,
    /// What the client sent.
    pub request: Request,
    /// What was seen.
    pub outcomes: Vec<Outcome>,
}

/// What a client sends.
pub struct Request {
    /// As `reviews:9080`.
    pub host: String,
    /// As `GET`.
    pub method: String,
    /// With its query.
    pub path: String,
    /// In order, names as sent, values as Latin-1.
    pub headers: Vec<(String, String)>,
}

impl Case {
    /// Reads the manifests and the expectations.
    pub fn new(read: &goldens::Case) -> Case {
        let documents = yaml::documents(&read.input_yaml);
        let mut listeners: BTreeMap<u16, Vec<Exchange>> = BTreeMap::new();
        for (index, line) in read.expected.iter().enumerate() {
            let request = Request::new(&line["request"]);
            let port = line["request"]["port"].as_str().unwrap();
            let outcomes = line["outcomes"].as_array().unwrap().iter();
            let exchange = Exchange {
                line: index + 1,
                outcomes: outcomes.map(|outcome| Outcome::observed(outcome, &request)).collect(),
                request,
            };
            listeners
                .entry(port.trim_start_matches("http.").parse().unwrap())
                .or_default()
                .push(exchange);
        }
        Case {
            name: read.name.clone(),
            resources: documents
                .iter()
                .map(|node| serde_json::to_value(node.as_ref().unwrap()).unwrap())
                .collect(),
            proxy: Proxy::new(read.proxy.as_ref()),
            listeners,
        }
    }

    /// The plugin's configuration for one listener.
    pub fn plugin(&self, port: u16) -> Vec<u8> {
        let proxy = json!({
            "namespace": self.proxy.namespace,
            "labels": self.proxy.labels,
            "gateways": self.gateways(),
            "port": port,
        });
        serde_json::to_vec(&json!({"proxy": proxy, "resources": self.resources})).unwrap()
    }

    /// Whether a rule mirrors.
    pub fn has_mirrors(&self) -> bool {
        let mut resources = self.resources.iter();
        resources.any(|object| object["spec"]["http"].to_string().contains("\"mirror"))
    }

    /// `mesh`, or the gateways that select the proxy by its labels.
    fn gateways(&self) -> Vec<String> {
        if !self.proxy.is_gateway {
            return vec!["mesh".to_owned()];
        }
        let gateways = self.resources.iter().filter(|object| object["kind"] == "Gateway");
        let selected = gateways.filter(|gateway| {
            let selector = gateway["spec"]["selector"].as_object().unwrap();
            selector
                .iter()
                .all(|(name, value)| self.proxy.labels.get(name).map(String::as_str) == value.as_str())
        });
        selected
            .map(|gateway| format!("{}/{}", namespace(gateway), name(gateway)))
            .collect()
    }

    /// The object of a kind, `namespace/name` and its `spec`.
    pub fn spec(&self, kind: &str, reference: &str) -> Option<&Value> {
        let is_it =
            |object: &&Value| object["kind"] == kind && format!("{}/{}", namespace(object), name(object)) == reference;
        self.resources.iter().find(is_it).map(|object| &object["spec"])
    }
}

/// An object's namespace.
pub fn namespace(object: &Value) -> &str {
    object["metadata"]["namespace"].as_str().unwrap_or("default")
}

/// An object's name.
pub fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap()
}

impl Proxy {
    fn new(written: Option<&Value>) -> Proxy {
        let none = Value::Null;
        let written = written.unwrap_or(&none);
        let labels = written["labels"].as_object().into_iter().flatten();
        Proxy {
            namespace: written["namespace"].as_str().unwrap_or("default").to_owned(),
            labels: labels
                .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
                .collect(),
            is_gateway: written["gateway"] == true,
        }
    }
}

impl Request {
    fn new(written: &Value) -> Request {
        let text = |name: &str| written[name].as_str().unwrap().to_owned();
        Request {
            host: text("host"),
            method: text("method"),
            path: text("path"),
            headers: pairs(&written["headers"]),
        }
    }

    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// A list of names and values.
pub fn pairs(list: &Value) -> Vec<(String, String)> {
    serde_json::from_value(list.clone()).unwrap()
}

/// Text whose characters are bytes.
pub fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).unwrap()).collect()
}

/// Bytes as text.
pub fn from_latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}
