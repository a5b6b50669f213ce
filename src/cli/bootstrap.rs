//! `switchyard bootstrap`: everything that Envoy needs in one file.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::input::InputArgs;
use super::site::{self, CallersFile};
use super::{Failure, Status, report};
use crate::envoy::Settings;
use crate::finding::refuses;
use crate::yaml::Node;

/// Print a whole Envoy configuration
///
/// Listeners with the filter and the overlay routes, clusters with their subsets, circuit breakers, outlier detection and endpoints, an access log: what
/// `envoy -c` takes. Endpoints come from ServiceEntry, and from Service with EndpointSlice or Endpoints; Gateway makes listeners.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  switchyard bootstrap -f manifests/ --wasm /etc/envoy/switchyard.wasm -o envoy.json
  switchyard bootstrap -f manifests/ --callers callers.yaml --wasm switchyard.wasm | envoy -c /dev/stdin")]
pub(super) struct Args {
    #[command(flatten)]
    input: InputArgs,
    /// Who calls, and where each listens [default: one caller on 127.0.0.1, and a gateway where there is a Gateway]
    #[arg(long, value_name = "FILE")]
    callers: Option<PathBuf>,
    /// Filter, where Envoy finds it
    #[arg(long, value_name = "FILE")]
    wasm: PathBuf,
    /// Address of Envoy's admin interface [default: the callers file's]
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<SocketAddr>,
    /// File to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<Status, Failure> {
    let input = args.input.read()?;
    let callers = CallersFile::read(args.callers.as_deref())?.with_admin(args.admin);
    callers.unreadable.iter().for_each(report::unreadable);
    callers
        .findings
        .iter()
        .for_each(|finding| report::finding(finding, callers.document.as_ref()));
    let nodes: Vec<&Node> = input.resources.iter().map(|resource| &resource.node).collect();
    let findings = site::check(&nodes);
    report::findings(&input, &findings);
    if refuses(&findings) || callers.is_refused() || !input.unreadable.is_empty() {
        return Ok(Status::Refused);
    }
    let settings = Settings {
        wasm: Some(args.wasm.clone()),
        ..Settings::default()
    };
    let configuration = match site::configuration(&nodes, &callers.callers, &settings) {
        Ok(configuration) => configuration,
        Err(findings) => {
            report::findings(&input, &findings);
            return Ok(Status::Refused);
        }
    };
    report::findings(&input, &configuration.findings);
    let json = serde_json::to_vec_pretty(&configuration.bootstrap());
    let json = json.map_err(|error| Failure::of("the configuration", error))?;
    match &args.output {
        Some(path) => super::write(path, &json)?,
        None => super::print(&json)?,
    }
    Ok(Status::Done)
}
