//! Which clusters there are, and who answers behind each, by the manifests alone.

use std::collections::BTreeMap;

use serde_json::Value;
use switchyard::action::cluster_name;
use switchyard::hostname;

use crate::case::{Case, name, namespace};

const DOMAIN: &str = "cluster.local";

/// Workloads by cluster.
pub struct Upstreams(BTreeMap<String, Vec<String>>);

impl Upstreams {
    /// The clusters that istiod would make: one for each port of a service, and one for each subset that a DestinationRule of it defines.
    pub fn new(case: &Case) -> Upstreams {
        let mut clusters = BTreeMap::new();
        for service in case.resources.iter().filter(|object| object["kind"] == "ServiceEntry") {
            for host in service["spec"]["hosts"].as_array().unwrap() {
                let host = hostname::resolve(host.as_str().unwrap(), namespace(service), DOMAIN);
                for port in service["spec"]["ports"].as_array().unwrap() {
                    let number = u16::try_from(port["number"].as_u64().unwrap()).unwrap();
                    let workloads = |labels: &Value| workloads(service, number, labels);
                    clusters.insert(cluster_name(number, "", &host), workloads(&Value::Null));
                    for subset in subsets(case, &host, namespace(service)) {
                        let name = cluster_name(number, subset["name"].as_str().unwrap(), &host);
                        clusters.entry(name).or_insert_with(|| workloads(&subset["labels"]));
                    }
                }
            }
        }
        Upstreams(clusters)
    }

    /// Who answers behind a cluster; none where there is no such cluster.
    pub fn workloads(&self, cluster: &str) -> Option<&Vec<String>> {
        self.0.get(cluster)
    }
}

/// The subsets of a host: those of the rules with the narrowest host, in the first namespace that has one.
fn subsets<'c>(case: &'c Case, host: &str, home: &str) -> Vec<&'c Value> {
    let rules = case
        .resources
        .iter()
        .filter(|object| object["kind"] == "DestinationRule");
    let covering: Vec<(&Value, String)> = rules
        .map(|rule| {
            (
                rule,
                hostname::resolve(rule["spec"]["host"].as_str().unwrap(), namespace(rule), DOMAIN),
            )
        })
        .filter(|(_, pattern)| hostname::covers(pattern, host))
        .collect();
    for place in [case.proxy.namespace.as_str(), home] {
        let here = covering.iter().filter(|(rule, _)| namespace(rule) == place);
        let Some((_, narrowest)) = here
            .clone()
            .max_by_key(|(_, pattern)| (!pattern.starts_with('*'), pattern.len()))
        else {
            continue;
        };
        let same = here.filter(|(_, pattern)| pattern == narrowest);
        return same
            .flat_map(|(rule, _)| rule["spec"]["subsets"].as_array().into_iter().flatten())
            .collect();
    }
    Vec::new()
}

/// The workloads of a service entry that have all labels.
fn workloads(service: &Value, port: u16, wanted: &Value) -> Vec<String> {
    let endpoints = service["spec"]["endpoints"].as_array().into_iter().flatten();
    let selected = endpoints.filter(|endpoint| {
        let mut wanted = wanted.as_object().into_iter().flatten();
        wanted.all(|(name, value)| endpoint["labels"][name] == *value)
    });
    selected.map(|endpoint| workload(service, endpoint, port)).collect()
}

/// What an endpoint of a service entry is called: by its labels, and by its port where it is not the first.
pub fn workload(service: &Value, endpoint: &Value, port: u16) -> String {
    let place = match namespace(service) {
        "default" => String::new(),
        place => format!(".{place}"),
    };
    let labels = &endpoint["labels"];
    let workload = match (labels["app"].as_str(), labels["version"].as_str()) {
        (Some(app), Some(version)) => format!("{app}{place}-{version}"),
        _ => format!("{}{place}", name(service)),
    };
    if port == 8081 {
        format!("{workload}:admin")
    } else {
        workload
    }
}
