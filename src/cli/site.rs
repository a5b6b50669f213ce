//! Documents and callers, on the way to Envoy's configuration.

use std::net::SocketAddr;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::Failure;
use super::input::{Input, Resource, Unreadable};
use crate::envoy::{Callers, Configuration, Manifests, Settings};
use crate::finding::{Finding, refuses};
use crate::plugin::Plugin;
use crate::yaml::Node;

#[derive(Serialize)]
struct PluginJson<'a> {
    resources: &'a [&'a Node],
}

/// What is to be said of documents: the same as the filter says.
pub(super) fn check(nodes: &[&Node]) -> Vec<Finding> {
    let json = serde_json::to_vec(&PluginJson { resources: nodes }).unwrap_or_default();
    Plugin::load(&json).map_or_else(|findings| findings, |plugin| plugin.findings)
}

/// A file of callers, as it was read.
#[derive(Default)]
pub(super) struct CallersFile {
    pub(super) callers: Callers,
    pub(super) findings: Vec<Finding>,
    pub(super) unreadable: Vec<Unreadable>,
    /// The document, which findings are about.
    pub(super) document: Option<Resource>,
}

impl CallersFile {
    /// Reads it; no file is the callers of one machine.
    pub(super) fn read(path: Option<&Path>) -> Result<CallersFile, Failure> {
        let Some(path) = path else {
            return Ok(CallersFile::default());
        };
        let name = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|error| Failure::of(&name, error))?;
        let Input {
            mut resources,
            unreadable,
        } = Input::of(&name, &bytes);
        if resources.len() > 1 {
            return Err(Failure(format!(
                "{name}: has to be one document, and holds {}",
                resources.len()
            )));
        }
        let document = resources.pop();
        let json = document
            .as_ref()
            .map(|document| serde_json::to_vec(&document.node).unwrap_or_default());
        let (callers, findings) = json.map(|json| Callers::from_json(&json)).unwrap_or_default();
        Ok(CallersFile {
            callers,
            findings,
            unreadable,
            document,
        })
    }

    /// Whether nothing can be built on it.
    pub(super) fn is_refused(&self) -> bool {
        refuses(&self.findings) || !self.unreadable.is_empty()
    }

    /// The same with the admin interface elsewhere.
    pub(super) fn with_admin(mut self, address: Option<SocketAddr>) -> Self {
        if let Some(address) = address {
            self.callers.admin = address.to_string();
        }
        self
    }
}

/// All that Envoy is to do, out of documents that are right. An error is what does not fit together.
pub(super) fn configuration(
    nodes: &[&Node],
    callers: &Callers,
    settings: &Settings,
) -> Result<Configuration, Vec<Finding>> {
    let objects: Vec<Value> = nodes
        .iter()
        .filter_map(|node| serde_json::to_value(node).ok())
        .collect();
    let (manifests, _) = Manifests::new(objects, callers);
    Configuration::new(&manifests, callers, settings)
}
