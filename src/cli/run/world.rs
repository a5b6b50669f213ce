//! Manifests and callers as everything that Envoy is told.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::manifests::{Reading, Refused};
use super::{Args, find, plan};
use crate::cli::Failure;
use crate::cli::site::{self, CallersFile};
use crate::envoy::{Callers, Settings, Snapshot};
use crate::finding::Finding;
use crate::yaml::Node;

/// What stays the same whatever the manifests say.
pub(super) struct World {
    directory: PathBuf,
    callers: Option<PathBuf>,
    /// The last that were right.
    last_callers: Option<Callers>,
    admin: Option<SocketAddr>,
    settings: Settings,
}

impl World {
    pub(super) fn new(args: &Args, directory: &Path) -> Result<World, Failure> {
        Ok(World {
            directory: directory.to_owned(),
            callers: args.callers.clone(),
            last_callers: None,
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

    /// What Envoy is to be told. What is to be said of it is added to the reading.
    pub(super) fn snapshot(&mut self, reading: &mut Reading) -> Result<Snapshot, Failure> {
        let callers = self.callers(reading)?;
        let nodes: Vec<&Node> = reading.resources.iter().map(|resource| &resource.node).collect();
        let configuration = site::configuration(&nodes, &callers, &self.settings);
        let findings = match &configuration {
            Ok(configuration) => &configuration.findings,
            Err(findings) => findings,
        };
        for finding in findings {
            let resource = finding.resource.and_then(|index| reading.resources.get(index));
            reading.found.push((finding.clone(), resource.cloned()));
        }
        let configuration =
            configuration.map_err(|_| Failure("callers and documents do not fit together".to_owned()))?;
        self.last_callers = Some(callers);
        // Envoy reads it when it starts: only then another admin address takes effect.
        let path = self.directory.join("bootstrap.json");
        fs::write(&path, configuration.dynamic_bootstrap(&self.directory).to_string())
            .map_err(|error| Failure::of(path.display(), error))?;
        let mut snapshot = configuration.snapshot(&self.directory);
        plan::add_proving(&mut snapshot.listeners);
        Ok(snapshot)
    }

    /// The callers, or if they are wrong the last that were not.
    fn callers(&self, reading: &mut Reading) -> Result<Callers, Failure> {
        let file = CallersFile::read(self.callers.as_deref())?.with_admin(self.admin);
        let is_refused = file.is_refused();
        let document = file.document.map(Rc::new);
        let found = file.findings.into_iter().map(|finding| (finding, document.clone()));
        reading.found.extend(found);
        reading.unreadable.extend(file.unreadable);
        if !is_refused {
            return Ok(file.callers);
        }
        let name = self.callers.as_deref().unwrap_or(Path::new("")).display().to_string();
        reading.refused.push(Refused {
            file: name.as_str().into(),
            object: None,
            kept: self.last_callers.is_some(),
        });
        self.last_callers
            .clone()
            .ok_or_else(|| Failure(format!("{name} is refused")))
    }
}
