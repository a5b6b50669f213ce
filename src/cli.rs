//! The command `switchyard`: Istio's manifests in, everything that Envoy needs out.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ColorChoice, Parser, Subcommand};

use crate::finding::Severity;

mod bootstrap;
mod check;
mod completions;
mod diff;
mod explain;
mod input;
mod listener;
mod plugin_config;
mod progress;
mod proxy;
mod report;
mod request;
mod run;
mod schema;
mod site;
mod terminal;

/// Istio's traffic management on any stock Envoy
///
/// Reads VirtualService, DestinationRule, Gateway, ServiceEntry, Service, EndpointSlice and Endpoints documents and makes of them what Envoy and
/// the filter switchyard.wasm need.
#[derive(Parser)]
#[command(
    version,
    max_term_width = 100,
    propagate_version = true,
    disable_help_subcommand = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Whether to write in colour; NO_COLOR in the environment turns it off as well
    #[arg(long, global = true, value_name = "WHEN", default_value_t)]
    color: ColorChoice,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Args),
    Explain(explain::Args),
    Diff(diff::Args),
    PluginConfig(plugin_config::Args),
    Bootstrap(bootstrap::Args),
    Run(run::Args),
    Schema(schema::Args),
    Completions(completions::Args),
    /// Become a program that ends with its parent
    #[command(hide = true)]
    BoundToParent {
        program: PathBuf,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
}

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Done,
    /// What was read is refused; the findings are on the terminal.
    Refused,
    /// What was compared is not the same.
    Differs,
}

/// What stopped a command, in one sentence for the person who called it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Failure(String);

impl Failure {
    /// Of something that could not be done to a file.
    fn of(what: impl fmt::Display, error: impl fmt::Display) -> Self {
        Failure(format!("{what}: {error}"))
    }
}

/// Runs the command that the process's arguments ask for. The exit status is 0 when all is well, 1 when the documents are refused or differ, 2 when
/// something could not be read, written or started.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    cli.color.write_global();
    let result = match &cli.command {
        Command::Check(args) => check::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Diff(args) => diff::run(args),
        Command::PluginConfig(args) => plugin_config::run(args),
        Command::Bootstrap(args) => bootstrap::run(args),
        Command::Run(args) => run::run(args),
        Command::Schema(args) => schema::run(args),
        Command::Completions(args) => completions::run(args),
        Command::BoundToParent { program, args } => Err(run::bound_to_parent(program, args)),
    };
    match result {
        Ok(Status::Done) => ExitCode::SUCCESS,
        Ok(Status::Refused | Status::Differs) => ExitCode::from(1),
        Err(Failure(message)) => {
            report::line(Severity::Error, &message);
            ExitCode::from(2)
        }
    }
}

/// Writes a command's result. A reader that has seen enough is no failure.
fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let written = out
        .write_all(bytes)
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::of("standard output", error)),
        _ => Ok(()),
    }
}

/// Writes a command's result to a file, whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".unfinished");
    std::fs::write(&unfinished, bytes)
        .and_then(|()| std::fs::rename(&unfinished, path))
        .map_err(|error| Failure::of(path.display(), error))
}

/// Writes a result for people: in colour where that is wanted, and where the reader is a terminal.
fn print_styled(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::of("standard output", error)),
        _ => Ok(()),
    }
}

trait Global {
    fn write_global(self);
}

impl Global for ColorChoice {
    /// What is written to the terminal from here on follows this choice.
    fn write_global(self) {
        match self {
            ColorChoice::Auto => anstream::ColorChoice::Auto,
            ColorChoice::Always => anstream::ColorChoice::Always,
            ColorChoice::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_arguments_fit_together() {
        super::Cli::command().debug_assert();
    }
}
