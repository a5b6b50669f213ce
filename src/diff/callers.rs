//! Whose requests are compared: rules may ask who calls, through which gateway and at which port.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::config::{Config, Proxy};
use crate::registry::Registry;
use told::Told;

mod told;

/// How many callers are compared; those that differ most from the usual one are left out.
pub const MOST: usize = 256;

/// A proxy and the port of its listener.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Caller {
    /// The gateways it serves, `mesh` for a sidecar.
    pub gateways: Vec<String>,
    /// The workload's namespace.
    pub namespace: String,
    /// The workload's labels.
    pub labels: BTreeMap<String, String>,
    /// The service port that the listener stands for, or a Gateway's.
    pub port: u16,
}

/// What is known of the caller beforehand; the rest is whatever documents tell apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// The workload's namespace.
    pub namespace: Option<String>,
    /// The workload's labels, where any are given.
    pub labels: BTreeMap<String, String>,
    /// The gateways it serves.
    pub gateways: Vec<String>,
    /// The listener's port.
    pub port: Option<u16>,
}

impl Caller {
    /// As the plugin has it.
    pub fn proxy(&self, domain: &str) -> Proxy {
        Proxy {
            namespace: self.namespace.clone(),
            domain: domain.to_owned(),
            labels: self.labels.clone(),
            gateways: self.gateways.clone(),
            port: Some(self.port.into()),
        }
    }

    /// Whether it is a sidecar.
    pub fn is_sidecar(&self) -> bool {
        self.gateways.iter().any(|gateway| gateway == "mesh")
    }
}

/// One caller for each combination that the documents of either side tell apart, the plainest first; and whether there are more.
///
/// A workload has the labels of any rules that can hold together. A port that no document names stands for all of those.
pub fn callers(sides: [(&Config, &Registry); 2], asked: &Asked) -> (Vec<Caller>, bool) {
    let mut told = Told::default();
    for (config, registry) in sides {
        told.read(config, registry);
    }
    let mut callers = Vec::new();
    if !asked.gateways.is_empty() {
        let ports = told.gateways.iter().filter(|(name, _)| asked.gateways.contains(name));
        let ports: BTreeSet<u16> = ports.flat_map(|(_, ports)| ports).copied().collect();
        for port in ports_of(asked, ports, &told.ports) {
            callers.push(asked.caller(asked.gateways.clone(), "default", &asked.labels, port));
        }
        return (callers, false);
    }
    let namespaces = asked
        .namespace
        .clone()
        .map_or(told.namespaces, |namespace| BTreeSet::from([namespace]));
    let labels = if asked.labels.is_empty() {
        together(&told.labels)
    } else {
        vec![asked.labels.clone()]
    };
    let mut ports = told.ports.clone();
    ports.extend(
        [80, 8080]
            .into_iter()
            .chain(1..)
            .find(|port| !told.ports.contains(port)),
    );
    for labels in &labels {
        for namespace in usual_first(&namespaces) {
            for port in ports_of(asked, ports.clone(), &told.ports) {
                callers.push(asked.caller(vec!["mesh".to_owned()], namespace, labels, port));
            }
        }
    }
    for (name, own) in &told.gateways {
        let namespace = name.split_once('/').map_or("default", |(namespace, _)| namespace);
        for port in ports_of(asked, own.clone(), &told.ports) {
            callers.push(asked.caller(vec![name.clone()], namespace, &asked.labels, port));
        }
    }
    callers.sort_by_key(|caller| caller.labels.len());
    let are_more = callers.len() > MOST;
    callers.truncate(MOST);
    (callers, are_more)
}

/// The gateways that the documents of either side name, as `namespace/name`.
pub fn gateways(sides: [(&Config, &Registry); 2]) -> Vec<String> {
    let mut told = Told::default();
    for (config, registry) in sides {
        told.read(config, registry);
    }
    told.gateways.into_keys().collect()
}

impl Asked {
    fn caller(&self, gateways: Vec<String>, namespace: &str, labels: &BTreeMap<String, String>, port: u16) -> Caller {
        Caller {
            gateways,
            namespace: self.namespace.clone().unwrap_or_else(|| namespace.to_owned()),
            labels: labels.clone(),
            port,
        }
    }
}

/// The port that is asked for, else those of the place, else any.
fn ports_of(asked: &Asked, own: BTreeSet<u16>, all: &BTreeSet<u16>) -> BTreeSet<u16> {
    match asked.port {
        Some(port) => BTreeSet::from([port]),
        None if own.is_empty() => all.iter().copied().chain([80]).collect(),
        None => own,
    }
}

fn usual_first(namespaces: &BTreeSet<String>) -> impl Iterator<Item = &str> {
    let others = namespaces.iter().filter(|namespace| *namespace != "default");
    let usual = namespaces.get("default");
    usual.into_iter().chain(others).map(String::as_str)
}

/// The labels that one workload can have: none, and every union of sets that do not contradict one another.
fn together(sets: &BTreeSet<BTreeMap<String, String>>) -> Vec<BTreeMap<String, String>> {
    let mut all = BTreeSet::from([BTreeMap::new()]);
    for set in sets {
        let fits = |other: &&BTreeMap<String, String>| {
            set.iter()
                .all(|(name, value)| other.get(name).is_none_or(|own| own == value))
        };
        let unions: Vec<BTreeMap<String, String>> = all
            .iter()
            .filter(fits)
            .map(|other| {
                other
                    .iter()
                    .chain(set)
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect()
            })
            .collect();
        all.extend(unions);
        if all.len() > MOST {
            break;
        }
    }
    let mut all: Vec<_> = all.into_iter().collect();
    all.sort_by_key(BTreeMap::len);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(spec: &str, asked: &Asked) -> Vec<String> {
        let json = format!(
            r#"{{"resources": [{{"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {{"name": "a"}}, "spec": {spec}}}]}}"#
        );
        let (config, findings) = Config::from_json(json.as_bytes());
        assert!(findings.is_empty(), "{findings:?}");
        let registry = Registry::new(&config);
        let (callers, are_more) = callers([(&config, &registry), (&config, &registry)], asked);
        assert!(!are_more);
        let line = |caller: Caller| {
            let labels: Vec<String> = caller
                .labels
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            format!(
                "{} {} {} {}",
                caller.gateways.join(","),
                caller.namespace,
                labels.join(","),
                caller.port
            )
        };
        callers.into_iter().map(line).collect()
    }

    #[test]
    fn callers_are_told_apart_by_what_rules_ask() {
        let rules = r#"{"hosts": ["a"], "http": [{"match": [
            {"sourceLabels": {"app": "web"}}, {"sourceLabels": {"app": "api"}}, {"sourceLabels": {"v": "1"}}, {"sourceNamespace": "shop"}]}]}"#;
        let all = of(rules, &Asked::default());
        assert_eq!(all.first().map(String::as_str), Some("mesh default  80"));
        assert!(all.contains(&"mesh shop app=web,v=1 80".to_owned()), "{all:?}");
        assert_eq!(all.len(), 12);
        let asked = Asked {
            namespace: Some("x".to_owned()),
            labels: BTreeMap::from([("app".to_owned(), "web".to_owned())]),
            ..Asked::default()
        };
        assert_eq!(of(rules, &asked), ["mesh x app=web 80"]);
    }

    #[test]
    fn gateways_and_ports_are_callers_too() {
        let rules = r#"{"hosts": ["a"], "gateways": ["edge"], "http": [{"match": [{"port": 8443}]}]}"#;
        assert_eq!(
            of(rules, &Asked::default()),
            [
                "mesh default  80",
                "mesh default  8443",
                "default/edge default  80",
                "default/edge default  8443"
            ]
        );
        let asked = Asked {
            gateways: vec!["default/edge".to_owned()],
            port: Some(81),
            ..Asked::default()
        };
        assert_eq!(of(rules, &asked), ["default/edge default  81"]);
    }
}
