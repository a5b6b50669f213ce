//! The command: which services to run, where they listen, whom they call through.

use std::{io::Write, path::PathBuf, process::ExitCode};

use clap::Parser;
use sample_services::{Instance, Log};
use tokio::signal::unix::{SignalKind, signal};

/// The services behind Switchyard's scenarios: any set of them in one process, each on an address of its own.
#[derive(Parser)]
#[command(name = "sample-services", version, after_long_help = AFTER_HELP)]
struct Command {
    /// One service to run (repeat it): key=value pairs with commas between them, listed by --help.
    #[arg(long = "service", value_name = "SPEC", required = true)]
    services: Vec<Instance>,

    /// Write each instance's log to DIR/ID.log (made if absent, appended to) and not to standard output.
    #[arg(long, value_name = "DIR")]
    log_dir: Option<PathBuf>,

    /// Add every request header to the log lines.
    #[arg(long)]
    log_headers: bool,
}

const AFTER_HELP: &str = "\
SPEC:
  name=NAME        productpage, details, reviews, ratings, kim-gateway, kim-payment-service,
                   kim-uc-service, kim-auth-service, webapp, catalog or httpbin
  listen=ADDRESS   host:port to listen on; port 0 takes a free one, named in the `listening` line
  version=VERSION  what it answers as (default v1). reviews knows v1, v2 and v3; catalog and
                   kim-payment-service know v1 and v2; elsewhere it is only a label
  via=ADDRESS      host:port its calls go to: the Envoy listener of the service port it calls (a service
                   calls one port only). The Host header stays what it calls, as `ratings:9080`.
                   Without it, calls go to that name itself
  id=ID            its name in x-served-by, logs and file names (default NAME-VERSION); unique
  timeout-ms=N     how long its calls may take, in place of the service's own time-out
  delay-ms=N       answer every request N ms late
  status=CODE      answer every request with this status
  bytes=N          answer every request with a body of N bytes

Calls go out on: 9080 from productpage and reviews, 8080 from kim-gateway and kim-payment-service, 80 from webapp.

Request headers that every service but productpage obeys:
  x-echo-delay-ms: N    answer N ms late (60,000 at most)
  x-echo-status: CODE   answer with this status, 200 to 599
  x-echo-bytes: N       answer with a body of N bytes (104,857,600 at most)

Example:
  sample-services --log-dir logs \\
    --service name=reviews,version=v2,listen=127.0.0.1:19082,via=127.0.0.1:15001 \\
    --service name=ratings,listen=127.0.0.1:19090

Log lines are JSON, one for each request, written before its answer leaves: time, id, service, version, method,
path (with the query), host, status (null if the caller left before the answer), duration_ms, request_id if it has
one, body_length, body_sha256 unless that is 0, and headers if asked for.

It prints `listening ID ADDRESS` for each service and then `ready`, and ends at SIGTERM or SIGINT.";

fn main() -> ExitCode {
    let command = Command::parse();
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sample-services: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), Box<dyn std::error::Error>> {
    let log = Log::new(command.log_dir, command.log_headers)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve_until_told(command.services, &log))?;
    // Requests under way and name lookups must not hold back the end.
    runtime.shutdown_background();
    Ok(())
}

async fn serve_until_told(services: Vec<Instance>, log: &Log) -> Result<(), Box<dyn std::error::Error>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let listening = sample_services::start(services, log).await?;
    let mut lines = String::new();
    for (id, address) in listening {
        lines.push_str(&format!("listening {id} {address}\n"));
    }
    lines.push_str("ready\n");
    std::io::stdout().lock().write_all(lines.as_bytes())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
