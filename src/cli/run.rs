//! `switchyard run`: an Envoy that follows a directory of manifests.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use self::supervisor::Supervisor;
use super::{Failure, Status};

mod acceptance;
mod admin;
mod envoy;
mod find;
mod generations;
mod manifests;
mod plan;
mod process;
mod ready;
mod signals;
mod status;
mod supervisor;
mod tree;
mod watch;
mod world;

pub(super) use process::bound_to_parent;

/// Run Envoy on manifests, and follow their changes
///
/// Makes Envoy's configuration, starts it, and applies each change of a file live: what is new is up before anything asks for it, what is old goes when no
/// request can need it any more. A document that is wrong is refused alone, as kubectl would refuse it; its last good version stays.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  switchyard run -f manifests/
  switchyard run -f manifests/ --callers callers.yaml --ready 0.0.0.0:9902
  ENVOY=/usr/local/bin/envoy switchyard run -f manifests/ --concurrency 2 2> events.jsonl

While it runs:
  curl localhost:9902/ready     200 when the manifests are served, 503 otherwise
  curl localhost:9902/status    what is live, since when, and what was refused

SIGTERM and SIGINT let requests under way end first; a second one does not.")]
pub(super) struct Args {
    /// File or directory of YAML or JSON documents; may be given several times
    #[arg(short, long = "filename", value_name = "FILE|DIR", required = true)]
    filenames: Vec<PathBuf>,
    /// Read the directories below as well
    #[arg(short = 'R', long)]
    recursive: bool,
    /// Who calls, and where each listens [default: one caller on 127.0.0.1, and a gateway where there is a Gateway]
    #[arg(long, value_name = "FILE")]
    callers: Option<PathBuf>,
    /// Envoy to run [default: $ENVOY, the one that make installed, or the one on the PATH]
    #[arg(long, value_name = "FILE")]
    envoy: Option<PathBuf>,
    /// Filter to load [default: switchyard.wasm beside this command, or the one that make built]
    #[arg(long, value_name = "FILE")]
    wasm: Option<PathBuf>,
    /// Address of Envoy's admin interface; port 0 is one that is free [default: the callers file's]
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<SocketAddr>,
    /// Address of /ready and /status; port 0 is one that is free
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9902")]
    ready: SocketAddr,
    /// Directory for Envoy's configuration [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Worker threads of Envoy [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    concurrency: Option<u32>,
    /// Do not start while a document is wrong
    #[arg(long)]
    strict: bool,
    /// Seconds that requests under way have to end, when the process stops and when a change takes something away
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    drain_time: u64,
    /// How much of Envoy's log is passed on
    #[arg(long, value_name = "LEVEL", default_value = "warning",
          value_parser = ["trace", "debug", "info", "warning", "error", "critical", "off"])]
    log_level: String,
    /// How events are written to standard error [default: human on a terminal, json otherwise]
    #[arg(long, value_name = "FORMAT")]
    events: Option<Events>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Events {
    /// Lines for people
    Human,
    /// A JSON object a line
    Json,
}

impl Args {
    fn drain_time(&self) -> Duration {
        Duration::from_secs(self.drain_time)
    }
}

pub(super) fn run(args: &Args) -> Result<Status, Failure> {
    // One thread: the kernel ties Envoy's life to that of the thread that started it.
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::of("the event loop", error))?
        .block_on(async {
            match Supervisor::start(args).await? {
                Some(supervisor) => supervisor.run().await,
                None => Ok(Status::Refused),
            }
        })
}
