//! Manifests as `kubectl apply` takes them: an object replaces the one of its kind and name.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

/// The directory that `switchyard run` follows.
pub struct Manifests {
    directory: PathBuf,
}

#[derive(Deserialize)]
struct Object {
    kind: String,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
}

impl Manifests {
    /// Begins with the services alone.
    pub fn new(directory: &Path, services: &Path) -> Result<Self> {
        std::fs::create_dir_all(directory)?;
        let manifests = Manifests {
            directory: directory.to_owned(),
        };
        std::fs::copy(services, directory.join("services.yaml"))
            .with_context(|| format!("cannot read {}", services.display()))?;
        Ok(manifests)
    }

    /// Applies these files in the place of what was applied before, in one change; false where they are what was applied before.
    pub fn apply(&self, files: &[PathBuf]) -> Result<bool> {
        let mut objects: Vec<((String, String), String)> = Vec::new();
        for file in files {
            let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
            for document in text.split("\n---") {
                let object: Object = serde_saphyr::from_str(document)?;
                let key = (object.kind, object.metadata.name);
                objects.retain(|(known, _)| *known != key);
                objects.push((key, document.to_owned()));
            }
        }
        let all: Vec<String> = objects.into_iter().map(|(_, text)| text).collect();
        let all = all.join("\n---\n");
        let (part, rules) = (
            self.directory.join(".rules.yaml.part"),
            self.directory.join("rules.yaml"),
        );
        if std::fs::read_to_string(&rules).is_ok_and(|before| before == all) {
            return Ok(false);
        }
        std::fs::write(&part, all)?;
        std::fs::rename(part, rules)?;
        Ok(true)
    }
}
