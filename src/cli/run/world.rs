//! Manifests and callers as everything that Envoy is told.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::status::Reporter;
use super::{Args, find, plan};
use crate::cli::Failure;
use crate::cli::input::Resource;
use crate::cli::site::{self, CallersFile};
use crate::envoy::{Settings, Snapshot};
use crate::finding::Finding;
use crate::yaml::Node;

/// What stays the same whatever the manifests say.
pub(super) struct World {
    reporter: Reporter,
    directory: PathBuf,
    callers: Option<PathBuf>,
    admin: Option<SocketAddr>,
    settings: Settings,
}

impl World {
    pub(super) fn new(args: &Args, directory: &Path, reporter: Reporter) -> Result<World, Failure> {
        Ok(World {
            reporter,
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

    /// What Envoy is to be told, out of documents that are right.
    pub(super) fn snapshot(&self, resources: &[Rc<Resource>]) -> Result<Snapshot, Failure> {
        let callers = CallersFile::read(self.callers.as_deref())?.with_admin(self.admin);
        callers
            .unreadable
            .iter()
            .for_each(|unreadable| self.reporter.unreadable(unreadable));
        self.say(&callers.findings, |_| callers.document.as_ref());
        if callers.is_refused() {
            return Err(Failure("the callers are refused".to_owned()));
        }
        let nodes: Vec<&Node> = resources.iter().map(|resource| &resource.node).collect();
        let place = |finding: &Finding| Some(&**resources.get(finding.resource?)?);
        let configuration = site::configuration(&nodes, &callers.callers, &self.settings).map_err(|findings| {
            self.say(&findings, place);
            Failure("the documents do not fit together".to_owned())
        })?;
        self.say(&configuration.findings, place);
        let path = self.directory.join("bootstrap.json");
        // Envoy reads it when it starts: only then another admin address takes effect.
        fs::write(&path, configuration.dynamic_bootstrap(&self.directory).to_string())
            .map_err(|error| Failure::of(path.display(), error))?;
        let mut snapshot = configuration.snapshot(&self.directory);
        plan::add_proving(&mut snapshot.listeners);
        Ok(snapshot)
    }

    fn say<'r>(&self, findings: &[Finding], place: impl Fn(&Finding) -> Option<&'r Resource>) {
        findings
            .iter()
            .for_each(|finding| self.reporter.finding(finding, place(finding)));
    }
}
