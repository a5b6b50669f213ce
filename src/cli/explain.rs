//! `switchyard explain`: which rule takes a request, and why none before it.

use std::path::PathBuf;

use clap::ValueEnum;
use serde::Serialize;

use super::input::{Input, InputArgs};
use super::listener::ListenerArgs;
use super::request::{self, Sent};
use super::{Failure, Status, report};
use crate::config::nearest;
use crate::decision::{Decision, decide};
use crate::dice::Wyrand;
use crate::explain::{Draw, Explanation, compact, explain};
use crate::header::format::Attribute;
use crate::plugin::Plugin;
use crate::request::Request;

pub(super) mod place;
mod table;
pub(super) mod text;

/// Say which rule takes a request, and why none before it does
///
/// Decides as the filter does, with the same code: the rule, each earlier one with the first of its conditions that does not hold, the
/// destinations with their probabilities, and what Envoy is told.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  switchyard explain -f manifests/ http://reviews:9080/reviews/1 -H 'end-user: jason'
  switchyard explain -f manifests/ POST http://ratings:9080/ratings/0 --from app=reviews,ns=default
  switchyard explain -f shop.yaml https://shop.example.com/ --gateway istio-system/edge --port 443
  switchyard explain -f manifests/ reviews:9080/ --seed 7 -o json
  switchyard explain -f manifests/ --requests access.log")]
pub(super) struct Args {
    #[command(flatten)]
    input: InputArgs,
    /// The request, as for curl
    #[arg(value_name = "[METHOD] URL", num_args = 1..=2, required_unless_present = "requests")]
    target: Vec<String>,
    /// Method of the request [default: GET]
    #[arg(short = 'X', long = "request", value_name = "METHOD")]
    method: Option<String>,
    /// Header of the request; may be given several times
    #[arg(short = 'H', long = "header", value_name = "'NAME: VALUE'", value_parser = request::header)]
    headers: Vec<(String, String)>,
    /// Draw once, with this seed, instead of giving probabilities alone
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Requests to count by rule and destination, one JSON object a line, or - for standard input: {"method", "url", "headers", "count"}, or
    /// an access log of Envoy in JSON, which has no headers but the user agent, the forwarded-for and the request id
    #[arg(long, value_name = "FILE", conflicts_with_all = ["target", "method", "headers", "seed"])]
    requests: Option<PathBuf>,
    /// How to print it
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Format,
    #[command(flatten)]
    listener: ListenerArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One line for one request, as options.explainHeader brings it from a running filter; draws are those of --seed, or of seed 0
    Short,
    /// The decision
    Json,
}

/// A request with what becomes of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Explained<'a> {
    request: &'a str,
    port: u16,
    #[serde(flatten)]
    explanation: &'a Explanation,
    #[serde(skip_serializing_if = "Option::is_none")]
    drawn: Option<&'a Draw>,
}

pub(super) fn run(args: &Args) -> Result<Status, Failure> {
    let requests_are_piped = args.requests.as_deref().is_some_and(|path| path.as_os_str() == "-");
    if requests_are_piped && args.input.reads_standard_input() {
        return Err(Failure(
            "standard input is either the documents or the requests".to_owned(),
        ));
    }
    let mut requests = args.requests.as_deref().map(request::read).transpose()?;
    if args.listener.is_gateway() {
        // Behind a gateway's Service its listeners stand on other ports than the Gateway names.
        requests.iter_mut().flatten().for_each(|sent| sent.listener = None);
    }
    let sent = if requests.is_none() { Some(args.sent()?) } else { None };
    let input = args.input.read()?;
    if !input.unreadable.is_empty() {
        report::findings(&input, &[]);
        return Err(Failure("a document could not be read".to_owned()));
    }
    match (requests, sent) {
        (Some(requests), _) => table::run(&requests, &input, args),
        (None, Some(sent)) => one(&sent, &input, args),
        (None, None) => Ok(Status::Done),
    }
}

fn one(sent: &Sent, input: &Input, args: &Args) -> Result<Status, Failure> {
    let port = args.listener.port().unwrap_or_else(|| sent.port());
    let Some(plugin) = load(args, input, port)? else {
        return Ok(Status::Refused);
    };
    let Ok(headers) = sent.received() else {
        let reason = "Envoy answers 400 before any filter: its path has a fragment or an escaped zero byte";
        return Err(Failure(format!("{}: {reason}", sent.line())));
    };
    let request = Request::new(&headers);
    let explanation = explain(&plugin.table, &request, &attribute);
    let decide = |seed: u64| decide(&plugin.table, &request, &mut Wyrand::new(seed));
    let drawn = args.seed.and_then(|seed| match decide(seed) {
        Decision::Routed(routed) => Some(Draw::new(&routed, &request)),
        Decision::Untouched | Decision::NotFound => None,
    });
    match args.output {
        Format::Text => {
            let near = near(&plugin, &request, &explanation);
            let printed = text::print(sent, &request, &explanation, drawn.as_ref(), near.as_deref(), input);
            super::print_styled(printed.trim_end_matches('\n'))?;
        }
        Format::Short => {
            let decision = decide(args.seed.unwrap_or_default());
            super::print(compact(&plugin.table, &request, &decision).as_bytes())?;
        }
        Format::Json => {
            let explained = Explained {
                request: &sent.line(),
                port,
                explanation: &explanation,
                drawn: drawn.as_ref(),
            };
            let json = serde_json::to_vec_pretty(&explained).map_err(|error| Failure::of("the explanation", error))?;
            super::print(&json)?;
        }
    }
    Ok(Status::Done)
}

/// The host that may have been meant by one that nobody has.
fn near(plugin: &Plugin, request: &Request, explanation: &Explanation) -> Option<String> {
    let host = std::str::from_utf8(request.host()).ok()?;
    let domains = plugin.table.domains();
    let names: Vec<&str> = domains.iter().flatten().map(String::as_str).collect();
    let near = nearest(host, &names).filter(|_| explanation.host.is_none())?;
    Some(near.to_owned())
}

/// What decides at a port; none, and the findings said, where nothing may run.
fn load(args: &Args, input: &Input, port: u16) -> Result<Option<Plugin>, Failure> {
    Ok(match args.listener.load(input, port)? {
        Ok(plugin) => Some(plugin),
        Err(findings) => {
            report::findings(input, &findings);
            None
        }
    })
}

impl Args {
    fn sent(&self) -> Result<Sent, Failure> {
        let (method, url) = match &self.target[..] {
            [method, url] => (Some(method), url.as_str()),
            [url] => (None, url.as_str()),
            _ => return Err(Failure("write [METHOD] URL".to_owned())),
        };
        let mut sent = Sent::get(url).map_err(Failure)?;
        if let Some(method) = self.method.as_ref().or(method) {
            if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-') {
                return Err(Failure(format!(
                    "`{method}` is no method; the order is METHOD URL, as in GET {url}"
                )));
            }
            sent.method.clone_from(method);
        }
        Ok(sent.with_headers(self.headers.iter().cloned()))
    }
}

/// What only a running proxy knows is shown by its name.
fn attribute(attribute: Attribute) -> Option<Vec<u8>> {
    Some(format!("%{attribute}%").into_bytes())
}
