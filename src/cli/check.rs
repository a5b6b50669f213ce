//! `switchyard check`: everything that is to be said of manifests.

use std::path::PathBuf;

use clap::ValueEnum;
use serde::Serialize;

use super::{Failure, Status};
use crate::analyze::analyze;
use crate::config::Config;
use crate::finding::{Finding, Severity, Sort};
use crate::matcher::Regexes;
use crate::registry::Registry;
use crate::validate::validate_with;
use crate::yaml::Node;
use item::Item;
use sources::Sources;

mod github;
mod item;
mod json;
mod sarif;
pub(super) mod sources;
mod text;

/// Say what is wrong with manifests, alone and together
///
/// Reports what Istio would refuse, what refers to nothing, rules that no request reaches and settings that do nothing, each with its line.
/// Codes that begin with IST are those of istioctl analyze. Nothing is changed, and no cluster is asked.
#[derive(clap::Args)]
#[command(after_help = "\
The exit status is 0 where nothing is found at or above --fail-on, 1 where something is, 2 where something could not be read.

Examples:
  switchyard check manifests/
  switchyard check 'shop/*.yaml' gateway.yaml --fail-on warning
  kubectl get virtualservice,destinationrule,gateway,serviceentry,service -A -o yaml | switchyard check -
  switchyard check -o github -R .")]
pub(super) struct Args {
    /// Files, directories or patterns of YAML or JSON documents, or - for standard input
    #[arg(value_name = "FILE|DIR|PATTERN|-", required = true)]
    files: Vec<PathBuf>,
    /// Read the directories below as well
    #[arg(short = 'R', long)]
    recursive: bool,
    /// How to print what is found
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Format,
    /// The least severity that makes the exit status 1
    #[arg(long, value_name = "SEVERITY", default_value = "error")]
    fail_on: FailOn,
    /// Code of findings to leave out, as IST0101; may be given several times
    #[arg(long, value_name = "CODE")]
    ignore: Vec<String>,
    /// Domain of the cluster
    #[arg(long, value_name = "NAME", default_value = "cluster.local")]
    domain: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: the lines, and what is wrong with them
    Text,
    /// For people, one line each
    Short,
    /// A list of objects
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of GitHub's workflows
    Github,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Error,
    Warning,
    Info,
    Never,
}

impl FailOn {
    fn includes(self, severity: Severity) -> bool {
        match self {
            FailOn::Error => severity >= Severity::Error,
            FailOn::Warning => severity >= Severity::Warning,
            FailOn::Info => true,
            FailOn::Never => false,
        }
    }
}

#[derive(Serialize)]
struct PluginJson<'a> {
    proxy: Proxy<'a>,
    resources: Vec<&'a Node>,
}

#[derive(Serialize)]
struct Proxy<'a> {
    domain: &'a str,
}

pub(super) fn run(args: &Args) -> Result<Status, Failure> {
    let sources = Sources::read(&args.files, args.recursive)?;
    let mut findings = findings(&sources, &args.domain)?;
    findings.retain(|finding| !args.ignore.iter().any(|code| code == finding.code));
    let mut items: Vec<Item> = sources.input.unreadable.iter().map(Item::unreadable).collect();
    items.extend(findings.iter().map(|finding| Item::new(finding, &sources.input)));
    items.sort_by(Item::in_order);
    let printed = match args.output {
        Format::Text => text::whole(&items, &sources),
        Format::Short => text::short(&items),
        Format::Json => json::print(&items)?,
        Format::Sarif => sarif::print(&items)?,
        Format::Github => github::print(&items),
    };
    if !printed.is_empty() {
        super::print_styled(printed.trim_end_matches('\n'))?;
    }
    if !sources.input.unreadable.is_empty() {
        return Err(Failure(format!(
            "{} could not be read",
            text::counted(sources.input.unreadable.len(), "document")
        )));
    }
    let fails = |item: &Item| args.fail_on.includes(item.severity);
    Ok(if items.iter().any(fails) {
        Status::Refused
    } else {
        Status::Done
    })
}

/// What is said of the documents: by their types, by Istio's rules, and of all of them together.
fn findings(sources: &Sources, domain: &str) -> Result<Vec<Finding>, Failure> {
    let json = serde_json::to_vec(&PluginJson {
        proxy: Proxy { domain },
        resources: sources.input.resources.iter().map(|resource| &resource.node).collect(),
    })
    .map_err(|error| Failure::of("the documents", error))?;
    let (config, mut findings) = Config::from_json(&json);
    let mut regexes = Regexes::new(usize::try_from(config.options.max_regex_bytes).unwrap_or_default());
    let mut validated = validate_with(&config, &mut regexes);
    // Istio's webhook guesses which rules are never used; the analysis knows.
    validated.retain(|finding| !["IST0130", "IST0131"].contains(&finding.code));
    findings.extend(validated);
    findings.extend(analyze(&config, &Registry::new(&config)));
    debug_assert!(
        findings
            .iter()
            .all(|finding| finding.sort == Sort::Validation || !finding.code.is_empty())
    );
    Ok(findings)
}
