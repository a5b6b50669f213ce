//! The text behind the documents.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::cli::Failure;
use crate::cli::input::{self, Input};

/// Documents with their files' text.
#[derive(Default)]
pub(in crate::cli) struct Sources {
    pub input: Input,
    text: BTreeMap<String, String>,
}

impl Sources {
    /// Reads files, directories and patterns. One that cannot be read ends it.
    pub fn read(paths: &[PathBuf], recursive: bool) -> Result<Self, Failure> {
        let mut sources = Sources::default();
        for path in paths {
            if path.as_os_str() == "-" {
                let mut bytes = Vec::new();
                io::stdin()
                    .read_to_end(&mut bytes)
                    .map_err(|error| Failure::of("standard input", error))?;
                sources.add("standard input", &bytes);
                continue;
            }
            for path in expanded(path)? {
                let files = input::files(&path, recursive)?;
                if files.is_empty() {
                    return Err(Failure(format!(
                        "{}: holds no .yaml, .yml or .json file",
                        path.display()
                    )));
                }
                for file in files {
                    let name = file.display().to_string();
                    let bytes = fs::read(&file).map_err(|error| Failure::of(&name, error))?;
                    sources.add(&name, &bytes);
                }
            }
        }
        Ok(sources)
    }

    /// A file given twice is read once.
    fn add(&mut self, name: &str, bytes: &[u8]) {
        if !self.text.contains_key(name) {
            self.input.add(name, bytes);
            self.text
                .insert(name.to_owned(), String::from_utf8_lossy(bytes).into_owned());
        }
    }

    /// How many files were read.
    pub fn files(&self) -> usize {
        self.text.len()
    }

    /// A file's text.
    pub fn text(&self, file: &str) -> &str {
        self.text.get(file).map(String::as_str).unwrap_or_default()
    }
}

/// The paths that a pattern stands for: itself where there is such a file, or where it is none.
fn expanded(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let pattern = path
        .to_str()
        .filter(|text| text.contains(['*', '?', '[']) && !path.exists());
    let Some(pattern) = pattern else {
        return Ok(vec![path.to_owned()]);
    };
    let paths = glob::glob(pattern).map_err(|error| Failure::of(pattern, error))?;
    let paths = paths
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| Failure::of(pattern, error))?;
    if paths.is_empty() {
        return Err(Failure(format!("{pattern}: no file has such a name")));
    }
    Ok(paths)
}
