//! The documents that a command reads, and where each stands.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::Failure;
use crate::yaml::{self, Node, Position, Value};

/// Which files to read.
#[derive(clap::Args)]
pub(super) struct InputArgs {
    /// File or directory of YAML or JSON documents, or - for standard input; may be given several times
    #[arg(short, long = "filename", value_name = "FILE|DIR|-", required = true)]
    filenames: Vec<PathBuf>,
    /// Read the directories below as well
    #[arg(short = 'R', long)]
    recursive: bool,
}

/// One Kubernetes object, as written.
pub(super) struct Resource {
    /// The file, as its name was given.
    pub(super) file: Rc<str>,
    /// What it says.
    pub(super) node: Node,
}

/// A document that is no YAML, or a file that cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) file: Rc<str>,
    pub(super) fault: yaml::Fault,
}

impl Unreadable {
    /// A whole file, or all files below a directory.
    pub(super) fn whole(path: &Path, reason: &str) -> Self {
        let at = Position { line: 1, column: 1 };
        let reason = reason.trim_start_matches(&format!("{}: ", path.display()));
        let message = format!("cannot be read: {reason}");
        Unreadable {
            file: path.display().to_string().into(),
            fault: yaml::Fault { at, message },
        }
    }
}

/// What was read, in the order of the files.
#[derive(Default)]
pub(super) struct Input {
    pub(super) resources: Vec<Resource>,
    pub(super) unreadable: Vec<Unreadable>,
}

impl InputArgs {
    /// Whether one of them is standard input.
    pub(super) fn reads_standard_input(&self) -> bool {
        self.filenames.iter().any(|path| path.as_os_str() == "-")
    }

    /// Reads every file. One that cannot be read ends it.
    pub(super) fn read(&self) -> Result<Input, Failure> {
        let mut input = Input::default();
        for path in &self.filenames {
            if path.as_os_str() == "-" {
                let mut bytes = Vec::new();
                io::stdin()
                    .read_to_end(&mut bytes)
                    .map_err(|error| Failure::of("standard input", error))?;
                input.add("standard input", &bytes);
                continue;
            }
            let files = files(path, self.recursive)?;
            if files.is_empty() {
                return Err(Failure(format!(
                    "{}: holds no .yaml, .yml or .json file",
                    path.display()
                )));
            }
            for file in files {
                let name = file.display().to_string();
                let bytes = fs::read(&file).map_err(|error| Failure::of(&name, error))?;
                input.add(&name, &bytes);
            }
        }
        Ok(input)
    }
}

impl Input {
    /// The documents of one file.
    pub(super) fn of(name: &str, bytes: &[u8]) -> Self {
        let mut input = Input::default();
        input.add(name, bytes);
        input
    }

    /// Adds the documents of a file.
    pub(super) fn add(&mut self, name: &str, bytes: &[u8]) {
        let file: Rc<str> = name.into();
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let fault = not_utf8(bytes.get(..error.valid_up_to()).unwrap_or_default());
                return self.unreadable.push(Unreadable { file, fault });
            }
        };
        for document in yaml::documents(text) {
            match document {
                Ok(node) => self.flatten(&file, node),
                Err(faults) => self.unreadable.extend(faults.into_iter().map(|fault| Unreadable {
                    file: Rc::clone(&file),
                    fault,
                })),
            }
        }
    }

    /// Lists are taken apart: findings count through them.
    pub(super) fn flatten(&mut self, file: &Rc<str>, mut node: Node) {
        if node.text("kind").ends_with("List")
            && let Some(Value::List(items)) = node.take("items")
        {
            return items.into_iter().for_each(|item| self.flatten(file, item));
        }
        self.resources.push(Resource {
            file: Rc::clone(file),
            node,
        });
    }
}

fn not_utf8(before: &[u8]) -> yaml::Fault {
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let column = String::from_utf8_lossy(before.get(start..).unwrap_or_default())
        .chars()
        .count()
        + 1;
    yaml::Fault {
        at: Position { line, column },
        message: "is not UTF-8".to_owned(),
    }
}

/// The files that a path stands for, in the order of their names: itself, or the YAML and JSON files of a directory. Names that begin
/// with a dot are passed over: editors' and Kubernetes' own.
pub(super) fn files(path: &Path, recursive: bool) -> Result<Vec<PathBuf>, Failure> {
    let fail = |error| Failure::of(path.display(), error);
    if !fs::metadata(path).map_err(fail)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut entries = fs::read_dir(path)
        .and_then(Iterator::collect::<io::Result<Vec<_>>>)
        .map_err(fail)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    let mut found = Vec::new();
    for entry in entries {
        let child = entry.path();
        if is_hidden(&child) {
            continue;
        }
        if child.is_dir() {
            if recursive {
                found.extend(files(&child, true)?);
            }
        } else if is_manifest(&child) {
            found.push(child);
        }
    }
    Ok(found)
}

/// Whether a file of this name is read where it lies in a directory.
pub(super) fn is_manifest(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    !is_hidden(path) && ["yaml", "yml", "json"].iter().any(|known| extension == *known)
}

fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}
