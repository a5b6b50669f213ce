//! Manifests and callers as everything that Envoy is told.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::manifests::Found;
use super::{Args, find, plan};
use crate::cli::Failure;
use crate::cli::input::Resource;
use crate::cli::site::{self, CallersFile};
use crate::envoy::{Settings, Snapshot};
use crate::finding::Finding;
use crate::yaml::Node;

/// What stays the same whatever the manifests say.
pub(super) struct World {
    directory: PathBuf,
    callers: Option<PathBuf>,
    admin: Option<SocketAddr>,
    settings: Settings,
}

impl World {
    pub(super) fn new(args: &Args, directory: &Path) -> Result<World, Failure> {
        Ok(World {
            directory: directory.to_owned(),
            callers: args.callers.clone(),
            admin: args.admin,
            settings: Settings {
                wasm: Some(find::filter(args.wasm.as_deref())?),
                ..Settings::default()
            },
        })
    }

    /// The filter's code.
    pub(super) fn wasm(&self) -> &Path {
        self.settings.wasm.as_deref().unwrap_or(Path::new(""))
    }

    /// What is to be said of documents.
    pub(super) fn check(&self, nodes: &[&Node]) -> Vec<Finding> {
        site::check(nodes)
    }

    /// What Envoy is to be told, out of documents that are right. What is to be said of it is added to `found`.
    pub(super) fn snapshot(&self, resources: &[Rc<Resource>], found: &mut Vec<Found>) -> Result<Snapshot, Failure> {
        let callers = CallersFile::read(self.callers.as_deref())?.with_admin(self.admin);
        if let Some(unreadable) = callers.unreadable.first() {
            let fault = &unreadable.fault;
            return Err(Failure(format!("{}:{}: {}", unreadable.file, fault.at, fault.message)));
        }
        let is_refused = callers.is_refused();
        let document = callers.document.map(Rc::new);
        found.extend(callers.findings.into_iter().map(|finding| (finding, document.clone())));
        if is_refused {
            return Err(Failure("the callers are refused".to_owned()));
        }
        let about = |finding: Finding| {
            let resource = finding.resource.and_then(|index| resources.get(index)).cloned();
            (finding, resource)
        };
        let nodes: Vec<&Node> = resources.iter().map(|resource| &resource.node).collect();
        let configuration = match site::configuration(&nodes, &callers.callers, &self.settings) {
            Ok(configuration) => configuration,
            Err(findings) => {
                found.extend(findings.into_iter().map(about));
                return Err(Failure("callers and documents do not fit together".to_owned()));
            }
        };
        found.extend(configuration.findings.iter().cloned().map(about));
        // Envoy reads it when it starts: only then another admin address takes effect.
        let path = self.directory.join("bootstrap.json");
        fs::write(&path, configuration.dynamic_bootstrap(&self.directory).to_string())
            .map_err(|error| Failure::of(path.display(), error))?;
        let mut snapshot = configuration.snapshot(&self.directory);
        plan::add_proving(&mut snapshot.listeners);
        Ok(snapshot)
    }
}
