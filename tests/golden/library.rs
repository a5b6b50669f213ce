//! The library alone, with a model of what stands around it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use switchyard::action::RequestMirrorPolicy;
use switchyard::action::hash_policy::HashKey;
use switchyard::decision::mirror;
use switchyard::decision::upstream_request::remove_reserved;
use switchyard::decision::{Decision, Routed, decide};
use switchyard::dice::Wyrand;
use switchyard::header::edits::HeaderEdits;
use switchyard::header::format::Attribute;
use switchyard::header::map::HeaderMap;
use switchyard::plugin::Plugin;
use switchyard::request;
use switchyard::request::downstream::Downstream;

use crate::case::{Case, Exchange, Request, from_latin1, latin1};
use crate::explained;
use crate::outcome::{Answer, Mirror, Outcome, RESPONSE_UNLISTED, listed};
use crate::report::{DRAWS, Report, Seen};
use crate::router::{self, Response};
use crate::shares::{self, Draws};
use crate::upstreams::Upstreams;

/// Every outcome that each request of a listener may have, by the listener's port.
pub type Possible = BTreeMap<u16, Vec<Vec<Seen>>>;

/// Runs a case.
pub fn run(case: &Case) -> (Report, Possible) {
    let upstreams = Upstreams::new(case);
    let mut report = Report::default();
    let mut possible = Possible::new();
    for (port, exchanges) in &case.listeners {
        let plugin = match Plugin::load(&case.plugin(*port)) {
            Ok(plugin) => plugin,
            Err(findings) => {
                report.refused(case, *port, &findings);
                continue;
            }
        };
        let mut listener = Listener {
            case,
            port: *port,
            plugin,
            upstreams: &upstreams,
            draws: HashMap::new(),
        };
        let unreachable = explained::unreachable(case, *port);
        let all = possible.entry(*port).or_default();
        for exchange in exchanges {
            let outcomes = listener.outcomes(exchange);
            report.compare(case, exchange, &outcomes);
            all.push(outcomes);
            report.explained(
                case,
                exchange,
                explained::faults(exchange, &listener.plugin, &unreachable),
            );
        }
        let draws = std::mem::take(&mut listener.draws);
        draws.values().for_each(|draws| shares::check(case, draws, &mut report));
    }
    (report, possible)
}

struct Listener<'c> {
    case: &'c Case,
    port: u16,
    plugin: Plugin,
    upstreams: &'c Upstreams,
    /// By the rule's address: what it draws does not depend on the request.
    draws: HashMap<usize, Draws>,
}

impl Listener<'_> {
    /// Every outcome the request may have, each with its share.
    fn outcomes(&mut self, exchange: &Exchange) -> Vec<Seen> {
        let sent = &exchange.request;
        let Some(headers) = received(sent) else {
            let refused = self.answer(sent, router::refused(), HeaderMap::default(), None, "", vec![]);
            return vec![Seen::certain(refused)];
        };
        let request = request::Request::new(&headers);
        let decide = |seed| decide(&self.plugin.table, &request, &mut Wyrand::new(seed));
        let routed = |seed| match decide(seed) {
            Decision::Routed(routed) => routed,
            other => panic!("the same request is decided otherwise: {other:?}"),
        };
        let first = match decide(0) {
            Decision::Routed(routed) => routed,
            other => return vec![Seen::certain(self.unrouted(sent, &headers, &other))],
        };
        let rule = Arc::as_ptr(&first.route) as usize;
        let draws = self.draws.remove(&rule).unwrap_or_else(|| Draws::new(DRAWS, routed));
        let mut seen: Vec<Seen> = Vec::new();
        for (pattern, (seed, count)) in &draws.patterns {
            let outcome = self.routed(sent, &headers, &routed(*seed));
            let share = *count as f64 / draws.total as f64;
            match seen.iter_mut().find(|seen| seen.outcome == outcome) {
                Some(seen) => seen.add(pattern.clone(), share),
                None => seen.push(Seen {
                    outcome,
                    share,
                    patterns: vec![pattern.clone()],
                    rule: Some(format!("{} at {}", first.route.rule, self.port)),
                }),
            }
        }
        self.draws.insert(rule, draws);
        seen
    }

    fn unrouted(&self, sent: &Request, headers: &HeaderMap, decision: &Decision) -> Outcome {
        let request = request::Request::new(headers);
        let host = self.plugin.table.virtual_host(&request);
        let default = host.and_then(|host| host.default_cluster.as_deref());
        match (decision, default) {
            (Decision::Untouched, Some(cluster)) => {
                let mut edits = HeaderEdits::new(headers);
                remove_reserved(&request, &mut edits);
                let workloads = self.upstreams.workloads(cluster).unwrap();
                let response = router::exchange(&edits.applied(), workloads, sent);
                let headers = response.headers.clone();
                self.answer(sent, response, headers, Some(cluster), "default", vec![])
            }
            (Decision::Untouched, None) if !self.case.proxy.is_gateway => Outcome::Untouched,
            _ => self.answer(sent, router::not_found(), HeaderMap::default(), None, "", vec![]),
        }
    }

    fn routed(&self, sent: &Request, headers: &HeaderMap, routed: &Routed) -> Outcome {
        let request = request::Request::new(headers);
        let edits = routed.request_edits(&request, &attribute);
        let name = routed
            .cluster()
            .map(|chosen| chosen.cluster.name(|| request.port()).into_owned());
        let known = name.as_deref().filter(|name| self.upstreams.workloads(name).is_some());
        let rule = &*routed.route.rule.name;
        if let Some(reply) = routed.local_reply(&request, &attribute) {
            let response = router::local_reply(&reply, &request, flags(routed));
            let headers = response.headers.clone();
            return self.answer(sent, waited(response, routed), headers, known, rule, vec![]);
        }
        let up = edits.applied();
        let response = match known.and_then(|name| self.upstreams.workloads(name)) {
            Some(workloads) => router::exchange(&up, workloads, sent),
            None => router::no_cluster(),
        };
        let response = waited(response, routed);
        let attribute = |wanted| match wanted {
            Attribute::UpstreamCluster => known.map(|name| name.as_bytes().to_vec()),
            wanted => attribute(wanted),
        };
        let mut edited = routed.response_edits(&response.headers, &request, &attribute);
        if response.details == "via_upstream" {
            let policies = &routed.forward().unwrap().hash;
            let hash = HashKey::new(policies, &request, || Some(b"127.0.0.1".to_vec()), || 0);
            let cookies = hash.into_iter().flat_map(|hash| hash.set_cookies);
            cookies.for_each(|cookie| edited.add("set-cookie", cookie.into_bytes()));
        }
        let edited = edited.applied();
        let mirrors = self.mirrors(&request, &up, routed);
        let flags = join_flags(flags(routed), &response.flags);
        let flagged = Response { flags, ..response };
        self.answer(sent, flagged, edited, known, rule, mirrors)
    }

    /// The copies that find a cluster.
    fn mirrors(&self, request: &request::Request, up: &HeaderMap, routed: &Routed) -> Vec<Mirror> {
        let headers = mirror::headers(up, self.plugin.options.shadow_host_suffix);
        let pseudo = |name: &str| from_latin1(headers.get(name).unwrap_or_default());
        let mirror = |copy: &RequestMirrorPolicy| {
            Some(Mirror {
                workloads: self.upstreams.workloads(&copy.cluster.name(|| request.port()))?.clone(),
                authority: pseudo(":authority"),
                path: pseudo(":path"),
                method: pseudo(":method"),
            })
        };
        routed.mirrors().filter_map(mirror).collect()
    }

    fn answer(
        &self,
        sent: &Request,
        response: Response,
        headers: HeaderMap,
        cluster: Option<&str>,
        route: &str,
        mirrors: Vec<Mirror>,
    ) -> Outcome {
        let lines = headers
            .iter()
            .map(|(name, value)| (std::str::from_utf8(name).unwrap(), from_latin1(value)));
        Outcome::Answered(Box::new(Answer {
            status: response.status,
            flags: response.flags,
            details: response.details.to_owned(),
            cluster: cluster.map(str::to_owned),
            route: route.to_owned(),
            response_headers: listed(lines, &RESPONSE_UNLISTED),
            body: if sent.method == "HEAD" {
                Some(String::new())
            } else {
                response.body.map(|body| body.into_owned())
            },
            took_ms: response.took_ms,
            attempts: response.attempts,
            mirrors,
            upstream: response.upstream,
        }))
    }
}

/// As the runner of the goldens sent it.
pub fn received(sent: &Request) -> Option<HeaderMap> {
    let authority = latin1(&sent.host);
    let path = latin1(&sent.path);
    let values: Vec<_> = sent
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), latin1(value)))
        .collect();
    let mut headers: Vec<(&str, &[u8])> = values.iter().map(|(name, value)| (*name, value.as_slice())).collect();
    headers.push(("connection", b"close"));
    if matches!(sent.method.as_str(), "POST" | "PUT" | "PATCH") {
        headers.push(("content-length", b"0"));
    }
    let client = Downstream {
        scheme: "http",
        method: &sent.method,
        authority: &authority,
        path: &path,
        headers,
    };
    client.received().ok()
}

/// What the proxy knows beside a request.
pub fn attribute(attribute: Attribute) -> Option<Vec<u8>> {
    (attribute == Attribute::Protocol).then(|| b"HTTP/1.1".to_vec())
}

fn waited(mut response: Response, routed: &Routed) -> Response {
    let delay = routed.delay.map_or(0, |delay| delay.as_millis());
    response.took_ms += u64::try_from(delay).unwrap();
    response
}

/// What Envoy's own fault filter would flag.
fn flags(routed: &Routed) -> &'static str {
    match (routed.delay.is_some(), routed.abort.is_some()) {
        (true, true) => "DI,FI",
        (true, false) => "DI",
        (false, true) => "FI",
        (false, false) => "-",
    }
}

/// In the order in which they were set.
fn join_flags(filters: &str, routers: &str) -> String {
    match (filters, routers) {
        ("-", flags) | (flags, "-") => flags.to_owned(),
        (filters, routers) => format!("{filters},{routers}"),
    }
}
