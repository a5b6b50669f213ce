//! The goldens of `testdata/golden`, and any folder of the same form.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// One case: a folder with an `input.yaml` and what was observed of it.
#[derive(Debug, Clone)]
pub struct Case {
    /// The folder's name.
    pub name: String,
    /// The folder.
    pub folder: PathBuf,
    /// The manifests, as written.
    pub input_yaml: String,
    /// Who the proxy is; none is a sidecar in namespace `default` without labels.
    pub proxy: Option<Value>,
    /// A request and its outcomes each; empty where none was sent.
    pub expected: Vec<Value>,
    /// What istiod's validation says; empty where it says nothing.
    pub messages: Vec<Value>,
    /// What `istioctl analyze` says; empty where it says nothing.
    pub analyze: Vec<Value>,
    /// The clusters istiod makes, in the cases about a DestinationRule.
    pub clusters: Option<Value>,
}

impl Case {
    /// Reads a case's folder; a file may be plain or, with `.gz` behind its name, packed.
    pub fn read(folder: &Path) -> Case {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let lines = text(folder, "expected.jsonl").unwrap_or_default();
        Case {
            name,
            input_yaml: text(folder, "input.yaml").unwrap_or_else(|| panic!("{} has no input.yaml", folder.display())),
            proxy: json(folder, "proxy.json"),
            expected: lines
                .lines()
                .enumerate()
                .map(|(number, line)| parse(line, &format!("{}/expected.jsonl:{}", folder.display(), number + 1)))
                .collect(),
            messages: json(folder, "messages.json").unwrap_or_default(),
            analyze: json(folder, "analyze.json").unwrap_or_default(),
            clusters: json(folder, "clusters.json"),
            folder: folder.to_owned(),
        }
    }
}

/// The folder of the goldens: `GOLDEN_DIR`, or the repository's own.
pub fn folder() -> PathBuf {
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/golden");
    std::env::var_os("GOLDEN_DIR").map_or_else(own, PathBuf::from)
}

/// Every case at `folder` or below it, by path.
pub fn cases(folder: &Path) -> Vec<Case> {
    if named(folder, "input.yaml").is_some() {
        return vec![Case::read(folder)];
    }
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut folders: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders.iter().flat_map(|folder| cases(folder)).collect()
}

fn json<T: DeserializeOwned>(folder: &Path, name: &str) -> Option<T> {
    text(folder, name).map(|text| parse(&text, &folder.join(name).display().to_string()))
}

fn parse<T: DeserializeOwned>(text: &str, place: &str) -> T {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{place}: {error}"))
}

fn named(folder: &Path, name: &str) -> Option<PathBuf> {
    [folder.join(name), folder.join(format!("{name}.gz"))]
        .into_iter()
        .find(|path| path.is_file())
}

fn text(folder: &Path, name: &str) -> Option<String> {
    let path = named(folder, name)?;
    let mut bytes = std::fs::read(&path).unwrap();
    if path.extension().is_some_and(|extension| extension == "gz") {
        let packed = std::mem::take(&mut bytes);
        GzDecoder::new(&*packed).read_to_end(&mut bytes).unwrap();
    }
    Some(String::from_utf8(bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}
