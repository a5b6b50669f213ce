//! `switchyard schema`: the JSON Schema of what is read.

use clap::builder::PossibleValuesParser;

use super::{Failure, Status};
use crate::config::{KINDS, schema};
use crate::envoy::Callers;

const PLUGIN: &str = "plugin";
const MANIFEST: &str = "manifest";
const CALLERS: &str = "callers";

/// Print the JSON Schema of what is read, for editors and programs
///
/// Draft 2020-12, made of the same lists of fields that read the documents: names, types, and the forms of values.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  switchyard schema > plugin.json
  switchyard schema --kind VirtualService > virtualservice.json
  switchyard schema --kind manifest > manifest.json

For an editor with the YAML language server, manifests begin with
  # yaml-language-server: $schema=manifest.json")]
pub(super) struct Args {
    /// The plugin's JSON, a manifest of any kind, a file of callers, or the kind of an object
    #[arg(long, value_name = "KIND", default_value = PLUGIN, value_parser = kinds())]
    kind: String,
}

fn kinds() -> PossibleValuesParser {
    PossibleValuesParser::new([PLUGIN, MANIFEST, CALLERS].iter().chain(&KINDS).copied())
}

pub(super) fn run(args: &Args) -> Result<Status, Failure> {
    let schema = match args.kind.as_str() {
        PLUGIN => schema::plugin(),
        MANIFEST => schema::manifest(),
        CALLERS => schema::message::<Callers>("The callers of one Envoy"),
        kind => schema::object(kind).ok_or_else(|| Failure(format!("{kind} is not a kind we read")))?,
    };
    let json = serde_json::to_vec_pretty(&schema).map_err(|error| Failure::of("the schema", error))?;
    super::print(&json)?;
    Ok(Status::Done)
}
