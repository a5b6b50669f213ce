//! The files that Envoy reads, in a directory of their own.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use super::acceptance::Written;
use super::generations::{Generations, numbered};
use super::plan::Step;
use crate::envoy::{self, Kind, Resources, Snapshot};

/// What the files hold.
pub(super) struct Tree {
    directory: PathBuf,
    has: Snapshot,
    /// The version that each file was last written with.
    versions: BTreeMap<(Kind, String), u64>,
    writes: u64,
    /// The filter's configurations.
    pub(super) generations: Generations,
}

#[derive(Serialize)]
struct DiscoveryResponse<'a> {
    version_info: String,
    resources: Vec<&'a Value>,
}

impl Tree {
    /// A directory with nothing in it that an Envoy could not start on.
    pub(super) fn new(directory: &Path) -> io::Result<Tree> {
        let mut tree = Tree {
            directory: directory.to_owned(),
            has: Snapshot::default(),
            versions: BTreeMap::new(),
            writes: 0,
            generations: Generations::default(),
        };
        for kind in [Kind::Endpoints, Kind::Routes, Kind::Extensions] {
            fs::create_dir_all(tree.path(kind, "x").parent().unwrap_or(directory))?;
        }
        for kind in [Kind::Clusters, Kind::Listeners] {
            tree.write(kind, "", &[])?;
        }
        Ok(tree)
    }

    /// What is written at the moment.
    pub(super) fn has(&self) -> &Snapshot {
        &self.has
    }

    /// Takes a step: writes the files that differ, each whole and renamed into place, and removes those of resources that are gone.
    pub(super) fn take(&mut self, step: Step) -> io::Result<()> {
        let Step { kind, resources } = step;
        match kind {
            Kind::Clusters | Kind::Listeners => self.write(kind, "", &resources.values().collect::<Vec<_>>())?,
            Kind::Endpoints | Kind::Routes | Kind::Extensions => self.write_each(kind, &resources)?,
        }
        *self.has.of_mut(kind) = resources;
        Ok(())
    }

    /// The files of a kind with their versions.
    pub(super) fn written(&self, kind: Kind) -> Vec<Written> {
        let files = self.versions.iter().filter(|((of, _), _)| *of == kind);
        files
            .map(|((_, name), version)| Written {
                kind,
                name: name.clone(),
                version: version.to_string(),
            })
            .collect()
    }

    fn write_each(&mut self, kind: Kind, resources: &Resources) -> io::Result<()> {
        let has = std::mem::take(self.has.of_mut(kind));
        for (name, resource) in resources {
            if has.get(name) == Some(resource) {
                continue;
            }
            match kind {
                Kind::Extensions => {
                    let number = self.generations.renew(name);
                    self.write(kind, name, &[&numbered(resource, number)])?;
                }
                _ => self.write(kind, name, &[resource])?,
            }
        }
        for name in has.into_keys().filter(|name| !resources.contains_key(name)) {
            fs::remove_file(self.path(kind, &name))?;
            if kind == Kind::Extensions {
                self.generations.leave(&name);
            }
            self.versions.remove(&(kind, name));
        }
        Ok(())
    }

    fn write(&mut self, kind: Kind, name: &str, resources: &[&Value]) -> io::Result<()> {
        self.writes += 1;
        let path = self.path(kind, name);
        let response = DiscoveryResponse {
            version_info: self.writes.to_string(),
            resources: resources.to_vec(),
        };
        write_whole(&path, &response)?;
        self.versions.insert((kind, name.to_owned()), self.writes);
        Ok(())
    }

    fn path(&self, kind: Kind, name: &str) -> PathBuf {
        envoy::path(&self.directory, kind, name)
    }
}

/// Envoy sees a file when it is renamed into place, and then it is whole.
fn write_whole(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    let mut file = BufWriter::new(fs::File::create(&unfinished)?);
    serde_json::to_writer(&mut file, value)?;
    file.flush()?;
    fs::rename(&unfinished, path)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(path: &Path) -> Value {
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn step(kind: Kind, resources: &[(&str, u64)]) -> Step {
        let resources = resources
            .iter()
            .map(|(name, value)| (name.to_string(), json!({ "v": value })))
            .collect();
        Step { kind, resources }
    }

    #[test]
    fn only_what_differs_is_written_and_what_is_gone_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let mut tree = Tree::new(directory.path()).unwrap();
        let routes = directory.path().join("routes");
        tree.take(step(Kind::Routes, &[("a", 1), ("outbound|80|../x|b", 1)]))
            .unwrap();
        assert_eq!(names(&routes), ["a.json", "outbound%7c80%7c..%2fx%7cb.json"]);
        let versions = |tree: &Tree| {
            tree.written(Kind::Routes)
                .into_iter()
                .map(|file| file.version)
                .collect::<Vec<_>>()
        };
        assert_eq!(versions(&tree), ["3", "4"]);
        tree.take(step(Kind::Routes, &[("a", 1), ("b", 1)])).unwrap();
        assert_eq!(names(&routes), ["a.json", "b.json"]);
        assert_eq!(versions(&tree), ["3", "5"]);
        assert_eq!(
            read(&routes.join("b.json")),
            json!({"version_info": "5", "resources": [{"v": 1}]})
        );
    }

    #[test]
    fn an_envoy_can_start_on_an_empty_tree() {
        let directory = tempfile::tempdir().unwrap();
        let mut tree = Tree::new(directory.path()).unwrap();
        assert_eq!(
            names(directory.path()),
            ["cds.json", "endpoints", "extensions", "lds.json", "routes"]
        );
        assert_eq!(
            read(&directory.path().join("cds.json")),
            json!({"version_info": "1", "resources": []})
        );
        tree.take(step(Kind::Clusters, &[("a", 1), ("b", 2)])).unwrap();
        assert_eq!(
            read(&directory.path().join("cds.json"))["resources"],
            json!([{"v": 1}, {"v": 2}])
        );
    }
}
