//! What came of a request, put together from what the client, Envoy's log and the upstreams have of it.

use serde_json::Value;

use super::client::Response;
use super::echo::Received;
use super::{CASE_ID, OPERATOR};
use crate::case::{Request, from_latin1};
use crate::outcome::{Answer, Mirror, Outcome, RESPONSE_UNLISTED, UPSTREAM_UNLISTED, Upstream, listed};

/// What Envoy adds at an edge, which the listeners of the goldens were not.
const EDGE: [&str; 3] = ["x-forwarded-for", "x-envoy-external-address", "x-envoy-internal"];

/// The outcome.
pub fn outcome(sent: &Request, is_gateway: bool, response: &Response, log: &Value, received: &[Received]) -> Outcome {
    let text = |name: &str| log[name].as_str().map(str::to_owned);
    if log["route_name"] == OPERATOR {
        return Outcome::Untouched;
    }
    let (copies, own): (Vec<_>, Vec<_>) = received.iter().partition(|received| received.is_mirror());
    let headers = response.headers.iter();
    let headers = headers.map(|(name, value)| (name.as_str(), value.clone()));
    let is_echo = log["response_code_details"] == "via_upstream" && response.body == "echo";
    let mut mirrors: Vec<Mirror> = copies.into_iter().map(mirror).collect();
    mirrors.sort();
    Outcome::Answered(Box::new(Answer {
        status: response.status,
        flags: text("response_flags").unwrap_or_else(|| "-".to_owned()),
        details: text("response_code_details").unwrap_or_default(),
        cluster: text("upstream_cluster"),
        route: route(log),
        upstream: own.last().map(|last| upstream(last, is_gateway)),
        response_headers: listed(headers, &RESPONSE_UNLISTED),
        body: (!is_echo || sent.method == "HEAD").then(|| response.body.clone()),
        took_ms: u64::try_from(response.took.as_millis()).unwrap(),
        attempts: u32::try_from(own.len().max(1)).unwrap(),
        mirrors,
    }))
}

/// The rule's name. A rule without one is called by its place, and Envoy's own name counts where no rule was used.
fn route(log: &Value) -> String {
    let name = match log["switchyard_route"].as_str() {
        Some(place) if place.contains(" http[") => None,
        Some(name) => Some(name),
        None => log["route_name"].as_str(),
    };
    name.unwrap_or_default().to_owned()
}

fn upstream(received: &Received, is_gateway: bool) -> Upstream {
    let headers = received.headers.iter();
    let headers = headers.map(|(name, value)| (name.as_str(), from_latin1(value.as_bytes())));
    let edge = if is_gateway { &EDGE[..] } else { &[] };
    let unlisted = [&UPSTREAM_UNLISTED, edge, &[CASE_ID]].concat();
    let mut headers = listed(headers, &unlisted);
    headers.retain(|(name, value)| name != "x-envoy-attempt-count" || value != "1");
    Upstream {
        workloads: vec![received.workload.clone()],
        method: received.method.clone(),
        path: received.path.clone(),
        authority: received.authority().to_owned(),
        headers,
    }
}

fn mirror(received: &Received) -> Mirror {
    Mirror {
        authority: received.authority().to_owned(),
        path: received.path.clone(),
        method: received.method.clone(),
        workloads: vec![received.workload.clone()],
    }
}
