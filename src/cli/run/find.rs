//! Where Envoy and the filter are.

use std::env;
use std::path::{Path, PathBuf};

use crate::cli::Failure;

/// Where `make` installs Envoy, seen from the repository.
const INSTALLED: &str = ".envoy/envoy";
/// Where cargo puts the filter, seen from the repository.
const BUILT: &str = "target/wasm32-wasip1/release/switchyard.wasm";

/// The Envoy to run: the one given, `$ENVOY`, the one that `make` installed in this repository, or the one on the path.
pub(super) fn envoy(given: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(path) = given {
        return existing(path, "--envoy");
    }
    if let Some(path) = env::var_os("ENVOY").filter(|path| !path.is_empty()) {
        return existing(Path::new(&path), "ENVOY");
    }
    let on_path = env::var_os("PATH").unwrap_or_default();
    above(INSTALLED)
        .or_else(|| env::split_paths(&on_path).map(|directory| directory.join("envoy")).find(|path| path.is_file()))
        .ok_or_else(|| {
            Failure(format!(
                "no Envoy: neither --envoy nor ENVOY names one, there is no {INSTALLED} (make envoy installs it), and none on the PATH"
            ))
        })
}

/// The filter to load: the one given, the one beside the command, or the one built in this repository.
pub(super) fn filter(given: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(path) = given {
        return existing(path, "--wasm");
    }
    let beside = env::current_exe()
        .ok()
        .map(|command| command.with_file_name("switchyard.wasm"));
    beside.filter(|path| path.is_file()).or_else(|| above(BUILT)).ok_or_else(|| {
        Failure(format!(
            "no filter: --wasm names none, and there is neither a switchyard.wasm beside this command nor {BUILT} (make builds it)"
        ))
    })
}

fn existing(path: &Path, named_by: &str) -> Result<PathBuf, Failure> {
    match path.is_file() {
        true => std::path::absolute(path).map_err(|error| Failure::of(path.display(), error)),
        false => Err(Failure(format!("{} (from {named_by}) is not a file", path.display()))),
    }
}

/// The file in this directory or one above it.
fn above(file: &str) -> Option<PathBuf> {
    let here = env::current_dir().ok()?;
    here.ancestors()
        .map(|directory| directory.join(file))
        .find(|path| path.is_file())
}
