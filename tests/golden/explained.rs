//! What `explain` says of a request, against what was seen of it, and against itself: what it says is missing is all that is missing.

use std::collections::BTreeSet;

use switchyard::analyze::analyze;
use switchyard::config::Config;
use switchyard::explain::{
    Answer as Explained, Change, Explanation, PassedOver, RuleReference, Treatment, Verdict, explain,
};
use switchyard::matcher::Unmet;
use switchyard::plugin::Plugin;
use switchyard::registry::Registry;
use switchyard::request::Request;

use crate::case::{Case, Exchange, from_latin1};
use crate::library::{attribute, received};
use crate::outcome::{Answer, Outcome};

/// The rules and matches that no request gets to, by object and path.
pub fn unreachable(case: &Case, port: u16) -> BTreeSet<(String, String)> {
    let (config, _) = Config::from_json(&case.plugin(port));
    let findings = analyze(&config, &Registry::new(&config));
    let unreachable = findings
        .into_iter()
        .filter(|finding| ["IST0130", "IST0131", "SWY0101"].contains(&finding.code));
    unreachable
        .map(|finding| {
            (
                format!("{}/{}", finding.object.namespace, finding.object.name),
                finding.path,
            )
        })
        .collect()
}

/// Everything that is wrong with the explanation of a request.
pub fn faults(exchange: &Exchange, plugin: &Plugin, unreachable: &BTreeSet<(String, String)>) -> Vec<String> {
    let Some(headers) = received(&exchange.request) else {
        return Vec::new();
    };
    let request = Request::new(&headers);
    let explanation = explain(&plugin.table, &request, &attribute);
    let mut faults = Vec::new();
    for outcome in &exchange.outcomes {
        // A wildcard takes unknown names too; `testdata/differences.md` argues for it.
        let by_wildcard = explanation.host.as_deref().is_some_and(|host| host.starts_with('*'));
        if !(names(&explanation, outcome, &request) || *outcome == Outcome::Untouched && by_wildcard) {
            faults.push(format!("the explanation does not name {outcome:?}: {explanation:?}"));
        }
    }
    faults.extend(untrue(&explanation, plugin, &request, unreachable));
    if let Verdict::Routed(treatment) = &explanation.verdict
        && written(&treatment.rule).iter().any(|place| unreachable.contains(place))
    {
        faults.push(format!("{:?} takes it, and is said to take nothing", treatment.rule));
    }
    faults
}

/// A rule and its match, by the object that has them.
fn written(rule: &RuleReference) -> Vec<(String, String)> {
    match &rule.delegate {
        Some((object, http)) => vec![(object.clone(), format!("http[{http}]"))],
        None => vec![
            (rule.virtual_service.clone(), rule.path()),
            (rule.virtual_service.clone(), format!("http[{}]", rule.http)),
        ],
    }
}

fn names(explanation: &Explanation, outcome: &Outcome, request: &Request) -> bool {
    match (&explanation.verdict, outcome) {
        (Verdict::Untouched { cluster, .. }, Outcome::Untouched) => cluster.is_none(),
        (Verdict::Untouched { cluster, .. }, Outcome::Answered(answer)) => {
            answer.cluster == *cluster || answer.details == "route_not_found" || answer.details == "direct_response"
        }
        (Verdict::NotFound, Outcome::Answered(answer)) => (answer.status, &*answer.flags) == (404, "NR"),
        (Verdict::Routed(treatment), Outcome::Answered(answer)) => treats(treatment, answer, request),
        (Verdict::NotFound | Verdict::Routed(_), Outcome::Untouched) => false,
    }
}

fn treats(treatment: &Treatment, answer: &Answer, request: &Request) -> bool {
    if answer.route != *treatment.rule.name {
        return false;
    }
    if answer.details == "fault_filter_abort" {
        return treatment
            .abort
            .as_ref()
            .is_some_and(|abort| abort.status == answer.status);
    }
    if treatment.abort.as_ref().is_some_and(|abort| abort.probability >= 1.0) {
        return false;
    }
    match &treatment.answer {
        Explained::Local {
            status,
            details,
            headers,
            ..
        } => {
            let location = |headers: &[(String, String)]| {
                headers
                    .iter()
                    .find(|(name, _)| name == "location")
                    .map(|(_, value)| value.clone())
            };
            let is_grpc = request.is_grpc();
            (*status == answer.status || is_grpc)
                && *details == answer.details
                && location(headers) == location(&answer.response_headers)
        }
        Explained::Upstream {
            destinations, mirrors, ..
        } => {
            let may_go = |cluster: &String| destinations.iter().any(|choice| choice.cluster == *cluster);
            let arrived = answer.upstream.as_ref().is_none_or(|upstream| {
                let path = from_latin1(request.path);
                let authority = from_latin1(request.authority);
                destinations.iter().any(|choice| {
                    choice.path.as_ref().unwrap_or(&path) == &upstream.path
                        && choice.authority.as_ref().unwrap_or(&authority) == &upstream.authority
                })
            });
            arrived && answer.cluster.iter().all(may_go) && (answer.mirrors.is_empty() || !mirrors.is_empty())
        }
    }
}

/// Each condition that is said to fail has to hold once the request is changed as it is said.
fn untrue(
    explanation: &Explanation,
    plugin: &Plugin,
    request: &Request,
    unreachable: &BTreeSet<(String, String)>,
) -> Vec<String> {
    let host = plugin.table.virtual_host(request);
    let routes = host.and_then(|host| host.routes.as_ref());
    let mut faults = Vec::new();
    for (passed, route) in explanation
        .passed_over
        .iter()
        .zip(routes.iter().flat_map(|routes| routes.iter()))
    {
        assert_eq!(passed.rule, RuleReference::new(&route.rule));
        let Err(unmet) = route.matches.check(request, request.path_only()) else {
            faults.push(format!("{:?} takes it, and is said not to", passed.rule));
            continue;
        };
        let Some(change) = &passed.unmet.change else {
            faults.push(format!("nothing is said to make {} hold", passed.unmet));
            continue;
        };
        if *change == Change::Impossible {
            if !written(&passed.rule).iter().any(|place| unreachable.contains(place)) {
                faults.push(format!("{} is said to be impossible by explain alone", passed.unmet));
            }
            continue;
        }
        if passed.unmet.found != found(unmet, request) {
            faults.push(format!("{} is not what the request has", passed.unmet));
        }
        let headers = change.applied(request.headers);
        let changed = Request::new(&headers);
        let holds = match unmet {
            Unmet::Port(port) => *change == Change::Port(port),
            Unmet::Path(path) => path.matches(changed.path_only()),
            Unmet::Header(header) => header.matches(&changed),
            Unmet::QueryParameter(parameter) => parameter.matches(changed.query()),
        };
        if !holds {
            faults.push(format!("{} does not hold after {change:?}", passed.unmet));
        }
        let again = explain(&plugin.table, &changed, &attribute).passed_over;
        let said = |passed: &PassedOver| {
            (
                passed.rule.clone(),
                passed.unmet.condition.clone(),
                passed.unmet.asked.clone(),
            )
        };
        if !matches!(unmet, Unmet::Port(_)) && again.iter().any(|other| said(other) == said(passed)) {
            faults.push(format!("{} is said again after {change:?}", passed.unmet));
        }
    }
    faults
}

/// What a request has where a condition looks.
fn found(unmet: Unmet, request: &Request) -> Vec<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let lines = |name: &str| {
        let lines = request.headers.iter().filter(|(other, _)| *other == name.as_bytes());
        lines.map(|(_, value)| text(value)).collect()
    };
    match unmet {
        Unmet::Port(_) => vec![request.port().to_string()],
        Unmet::Path(_) => vec![text(request.path_only())],
        Unmet::Header(header) => lines(&header.name),
        Unmet::QueryParameter(parameter) => {
            let query = text(request.query().unwrap_or_default());
            let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
            let pair = pairs.find(|(name, _)| *name == &*parameter.name);
            pair.map(|(_, value)| value.to_owned()).into_iter().collect()
        }
    }
}
