//! The files that Envoy reads its resources from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// Resources of one kind by name, as Envoy's API has them in JSON.
pub type Resources = BTreeMap<String, Value>;

/// Everything that Envoy is told.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// `ClusterLoadAssignment`, by cluster.
    pub endpoints: Resources,
    /// `Cluster`.
    pub clusters: Resources,
    /// `RouteConfiguration`.
    pub routes: Resources,
    /// `TypedExtensionConfig`: the filter's configurations.
    pub extensions: Resources,
    /// `Listener`.
    pub listeners: Resources,
}

/// The kinds of resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// EDS: a file for each cluster.
    Endpoints,
    /// CDS: one file.
    Clusters,
    /// RDS: a file for each listener.
    Routes,
    /// ECDS: a file for each listener.
    Extensions,
    /// LDS: one file.
    Listeners,
}

impl Kind {
    /// All of them, each before those that refer to it.
    pub const ALL: [Kind; 5] = [
        Kind::Endpoints,
        Kind::Clusters,
        Kind::Routes,
        Kind::Extensions,
        Kind::Listeners,
    ];

    /// The name of its message.
    pub fn message(self) -> &'static str {
        match self {
            Kind::Endpoints => "envoy.config.endpoint.v3.ClusterLoadAssignment",
            Kind::Clusters => "envoy.config.cluster.v3.Cluster",
            Kind::Routes => "envoy.config.route.v3.RouteConfiguration",
            Kind::Extensions => "envoy.config.core.v3.TypedExtensionConfig",
            Kind::Listeners => "envoy.config.listener.v3.Listener",
        }
    }
}

impl Snapshot {
    /// The resources of a kind.
    pub fn of(&self, kind: Kind) -> &Resources {
        match kind {
            Kind::Endpoints => &self.endpoints,
            Kind::Clusters => &self.clusters,
            Kind::Routes => &self.routes,
            Kind::Extensions => &self.extensions,
            Kind::Listeners => &self.listeners,
        }
    }

    /// The resources of a kind, to be changed.
    pub fn of_mut(&mut self, kind: Kind) -> &mut Resources {
        match kind {
            Kind::Endpoints => &mut self.endpoints,
            Kind::Clusters => &mut self.clusters,
            Kind::Routes => &mut self.routes,
            Kind::Extensions => &mut self.extensions,
            Kind::Listeners => &mut self.listeners,
        }
    }

    /// How many files Envoy watches for it. On Linux each takes one of `fs.inotify.max_user_instances`, and the one too many ends Envoy.
    pub fn subscriptions(&self) -> usize {
        2 + self.endpoints.len() + self.routes.len() + self.extensions.len()
    }
}

/// The file of a resource, or of all resources of a kind, below `directory`.
pub fn path(directory: &Path, kind: Kind, name: &str) -> PathBuf {
    match kind {
        Kind::Clusters => directory.join("cds.json"),
        Kind::Listeners => directory.join("lds.json"),
        Kind::Endpoints => directory.join("endpoints").join(file_name(name)),
        Kind::Routes => directory.join("routes").join(file_name(name)),
        Kind::Extensions => directory.join("extensions").join(file_name(name)),
    }
}

/// A name as the name of a file. What a file's name cannot hold is written as its number.
fn file_name(name: &str) -> String {
    let mut file = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => file.push(char::from(byte)),
            b'.' if !file.is_empty() => file.push('.'),
            _ => file.push_str(&format!("%{byte:02x}")),
        }
    }
    file + ".json"
}

/// `envoy.config.core.v3.ConfigSource` of a resource's file.
pub(super) fn config_source(directory: &Path, kind: Kind, name: &str) -> Value {
    json!({
        "path_config_source": {"path": path(directory, kind, name)},
        "resource_api_version": "V3",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_holds_nothing_that_leads_elsewhere() {
        let of = |name| path(Path::new("x"), Kind::Endpoints, name);
        assert_eq!(
            of("outbound|80||a.b"),
            Path::new("x/endpoints/outbound%7c80%7c%7ca.b.json")
        );
        assert_eq!(of("../b/c"), Path::new("x/endpoints/%2e.%2fb%2fc.json"));
        assert_ne!(of("a%"), of("a%25"));
    }
}
