//! The documents of one side.

use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};

use super::Args;
use crate::cli::check::sources::Sources;
use crate::cli::input::Input;
use crate::cli::{Failure, report};
use crate::config::Config;
use crate::diff::callers::Asked;
use crate::diff::documents::Documents;
use crate::envoy::{Caller, Callers, Manifests, Messages};
use crate::registry::Registry;
use crate::yaml::{Node, Value as Written};

/// What was read of one side.
pub(super) struct Side {
    pub input: Input,
    pub documents: Documents,
    /// The proxy of a plugin's JSON; nothing is known of other documents'.
    pub asked: Asked,
    /// The options of a plugin's JSON.
    pub options: Map<String, Value>,
}

#[derive(Serialize)]
struct PluginJson<'a> {
    proxy: &'a Map<String, Value>,
    options: &'a Map<String, Value>,
    resources: Vec<&'a Node>,
}

impl Side {
    /// Reads documents, or a plugin's JSON. What cannot be read and what may not run end it.
    pub fn read(path: &Path, args: &Args) -> Result<Side, Failure> {
        let mut input = Sources::read(&[path.to_owned()], args.recursive)?.input;
        let failed = |what: &str| Failure(format!("{}: {what}", path.display()));
        if !input.unreadable.is_empty() {
            report::findings(&input, &[]);
            return Err(failed("could not be read"));
        }
        let (mut proxy, options) = taken_apart(&mut input);
        if let Some(domain) = &args.caller.domain {
            proxy.insert("domain".to_owned(), domain.as_str().into());
        }
        let json = serde_json::to_vec(&PluginJson {
            proxy: &proxy,
            options: &options,
            resources: input.resources.iter().map(|resource| &resource.node).collect(),
        })
        .map_err(|error| Failure::of(path.display(), error))?;
        let documents = match Documents::read(&json) {
            Ok(documents) => documents,
            Err(findings) => {
                report::findings(&input, &findings);
                return Err(failed("would be refused, so it cannot be compared"));
            }
        };
        let written = &documents.config().proxy;
        let asked = Asked {
            namespace: proxy.get("namespace").map(|_| written.namespace.clone()),
            labels: written.labels.clone(),
            gateways: proxy
                .get("gateways")
                .map(|_| written.gateways.clone())
                .unwrap_or_default(),
            port: written.port.and_then(|port| u16::try_from(port).ok()),
        };
        Ok(Side {
            input,
            documents,
            asked,
            options,
        })
    }

    /// For those who look for callers.
    pub fn config_and_registry(&self) -> (&Config, &Registry) {
        (self.documents.config(), self.documents.registry())
    }

    /// What Envoy has for callers beside the filter.
    pub fn messages(&self, callers: &[Caller]) -> Messages {
        let nodes = self
            .input
            .resources
            .iter()
            .filter_map(|resource| serde_json::to_value(&resource.node).ok());
        let callers = Callers {
            domain: self.documents.config().proxy.domain.clone(),
            callers: callers.to_vec(),
            ..Callers::default()
        };
        let (manifests, _) = Manifests::new(nodes.collect(), &callers);
        Messages::new(&manifests, &callers)
    }
}

/// Replaces a plugin's JSON by its resources; its proxy and its options.
fn taken_apart(input: &mut Input) -> (Map<String, Value>, Map<String, Value>) {
    let [lone] = &mut input.resources[..] else {
        return Default::default();
    };
    if lone.node.get("kind").is_some() {
        return Default::default();
    }
    let Some(Written::List(resources)) = lone.node.take("resources") else {
        return Default::default();
    };
    let part = |name: &str| {
        let value = lone.node.get(name).and_then(|node| serde_json::to_value(node).ok());
        value.and_then(|value| value.as_object().cloned()).unwrap_or_default()
    };
    let parts = (part("proxy"), part("options"));
    let file = std::rc::Rc::clone(&lone.file);
    input.resources.clear();
    resources.into_iter().for_each(|node| input.flatten(&file, node));
    parts
}
