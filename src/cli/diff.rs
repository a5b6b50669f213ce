//! `switchyard diff`: what a change of manifests does to requests.

use std::path::PathBuf;

use clap::ValueEnum;

use super::listener::From;
use super::{Failure, Status, request};
use crate::config::nearest;
use crate::diff::callers::{self, Asked};
use crate::route::gateway_name;
use side::Side;

mod meaning;
mod page;
mod phrase;
mod side;
mod tally;

/// Say what a change of manifests does to requests
///
/// Compares what two sets of documents mean, whatever their text: for each host the rules that were added, are gone, were moved, changed or are
/// hidden by others, and every class of requests that is treated differently, each with a request that shows it; then the clusters that
/// DestinationRules and services make, and the listeners of Gateways. Draws are compared by their probabilities.
#[derive(clap::Args)]
#[command(after_help = "\
The exit status is 0 where every request is treated alike, 1 where something differs, 2 where something could not be read.

Examples:
  switchyard diff before/ after/
  switchyard diff <(git show HEAD:reviews.yaml) reviews.yaml
  switchyard diff before/ after/ --from app=web --port 9080
  switchyard diff before/ after/ --requests access.log
  switchyard plugin-config -f after/ | switchyard diff running.json - -o json")]
pub(super) struct Args {
    /// File, directory or pattern of YAML or JSON documents as they were, a plugin's JSON, or - for standard input
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The same as they are to be
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Read the directories below as well
    #[arg(short = 'R', long)]
    recursive: bool,
    /// Requests to count by what becomes of them, one JSON object a line, or - for standard input: {"method", "url", "headers", "count"}, or
    /// an access log of Envoy in JSON
    #[arg(long, value_name = "FILE")]
    requests: Option<PathBuf>,
    /// How to print it
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Format,
    #[command(flatten)]
    caller: CallerArgs,
}

/// Whose requests are compared.
#[derive(clap::Args)]
#[command(next_help_heading = "Caller")]
struct CallerArgs {
    /// Who calls: labels of the workload and its namespace, as app=web,ns=default [default: everyone the rules tell apart]
    #[arg(long, value_name = "LABELS", value_parser = From::parse)]
    from: Option<From>,
    /// Gateway that requests come through, as namespace/name or name; may be given several times [default: sidecars and each gateway]
    #[arg(long = "gateway", value_name = "NAME")]
    gateways: Vec<String>,
    /// Service port that the listener stands for [default: each that documents name]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// Domain of the cluster [default: cluster.local]
    #[arg(long, value_name = "NAME")]
    domain: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

pub(super) fn run(args: &Args) -> Result<Status, Failure> {
    let paths = [Some(&args.old), Some(&args.new), args.requests.as_ref()];
    if paths
        .into_iter()
        .flatten()
        .filter(|path| path.as_os_str() == "-")
        .count()
        > 1
    {
        return Err(Failure(
            "standard input is only one of OLD, NEW and the requests".to_owned(),
        ));
    }
    let mut requests = args.requests.as_deref().map(request::read).transpose()?;
    let mut old = Side::read(&args.old, args)?;
    let mut new = Side::read(&args.new, args)?;
    let asked = args.caller.asked(&old, &new)?;
    if asked.gateways.iter().any(|gateway| gateway != "mesh") {
        // Behind a gateway's Service its listeners stand on other ports than the Gateway names.
        requests.iter_mut().flatten().for_each(|sent| sent.listener = None);
    }
    match requests {
        Some(requests) => tally::run(&requests, &mut old, &mut new, &asked, args.output),
        None => meaning::run(&mut old, &mut new, &asked, args.output),
    }
}

impl CallerArgs {
    /// By the flags, or else as a plugin's JSON has it.
    fn asked(&self, old: &Side, new: &Side) -> Result<Asked, Failure> {
        let mut asked = new.asked.clone();
        if let Some(from) = &self.from {
            asked.labels.clone_from(&from.labels);
            asked.namespace.clone_from(&from.namespace);
        }
        if !self.gateways.is_empty() {
            let home = asked.namespace.as_deref().unwrap_or("default");
            let known = callers::gateways([old.config_and_registry(), new.config_and_registry()]);
            let named = self
                .gateways
                .iter()
                .map(|name| one_of(gateway_name(name, home), &known));
            asked.gateways = named.collect::<Result<_, _>>()?;
        }
        asked.port = self.port.or(asked.port);
        Ok(asked)
    }
}

/// A gateway's name, if documents have it.
fn one_of(name: String, known: &[String]) -> Result<String, Failure> {
    if name == "mesh" || known.contains(&name) {
        return Ok(name);
    }
    let names: Vec<&str> = known.iter().map(String::as_str).collect();
    let meant = nearest(&name, &names).map(|near| format!("; did you mean {near}?"));
    Err(Failure(format!(
        "no document names the gateway {name}{}",
        meant.unwrap_or_default()
    )))
}

/// Prints a result for people, or for machines.
fn print(text: &str, json: &impl serde::Serialize, output: Format) -> Result<(), Failure> {
    match output {
        Format::Text => super::print_styled(text.trim_end_matches('\n')),
        Format::Json => {
            let json = serde_json::to_vec_pretty(json).map_err(|error| Failure::of("the difference", error))?;
            super::print(&json)
        }
    }
}
