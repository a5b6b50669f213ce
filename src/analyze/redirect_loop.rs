//! Redirects that lead back to themselves.

use super::Findings;
use super::rules::Rules;
use crate::config::virtual_service::HTTPRedirect;
use crate::finding::Severity;
use crate::matcher::PathMatcher;
use crate::region::{self, Literal, Variable, Verdict};

const ENDLESS: (Severity, &str) = (Severity::Warning, "SWY0110");

pub(super) fn check(rules: &Rules, findings: &mut Findings) {
    for first in rules.first_matches() {
        let Some(redirect) = rules.rule(first).and_then(|rule| rule.rule.redirect.as_ref()) else {
            continue;
        };
        let leads_elsewhere = !redirect.authority.is_empty()
            || !redirect.scheme.is_empty()
            || redirect.port.is_some()
            || redirect.derive_port.is_some();
        if leads_elsewhere {
            continue;
        }
        let target = rules
            .matches_of(first)
            .find_map(|index| returns(rules, index, redirect));
        if let Some(target) = target {
            let message = format!("sends {target} back to itself: whoever follows goes round for ever");
            findings.add(
                rules.object(first),
                ENDLESS,
                format!("{}.redirect", rules.rule_path(first)),
                message,
            );
        }
    }
}

/// The path that a redirect sends to the rule it came from, if there is one for sure.
fn returns(rules: &Rules, index: usize, redirect: &HTTPRedirect) -> Option<String> {
    let has_query = redirect.uri.contains('?');
    if has_query
        && rules
            .written(index)
            .is_some_and(|written| !written.query_params.is_empty())
    {
        return None;
    }
    let gateways = || rules.gateways().iter().filter(|gateway| rules.applies(index, gateway));
    let earlier = |gateway: &str| -> Option<Vec<Vec<Literal>>> {
        let applying = (0..index).filter(|earlier| rules.applies(*earlier, gateway));
        applying.map(|earlier| rules.literals(earlier)).collect()
    };
    let mut literals = rules.literals(index)?;
    match (redirect.uri.as_str(), redirect.prefix_rewrite.as_str()) {
        ("", "") => None,
        ("", rewrite) => {
            if !grows(rules, index, rewrite) {
                return None;
            }
            // Each round is longer than the one before, and none may fall to an earlier rule.
            literals.push(Literal::begins(Variable::Path, rewrite.as_bytes()));
            let is_taken = |earlier: &Vec<Literal>| {
                let both: Vec<Literal> = literals.iter().chain(earlier).cloned().collect();
                !matches!(region::find(&both, &[]), Verdict::Empty(_))
            };
            let endless = |gateway: &String| earlier(gateway).is_some_and(|earlier| !earlier.iter().any(is_taken));
            gateways().any(endless).then(|| rewrite.to_owned())
        }
        (uri, _) => {
            let path = uri.split('?').next().unwrap_or_default();
            let path = format!("/{}", path.strip_prefix('/').unwrap_or(path));
            literals.push(Literal::is(Variable::Path, path.clone().into_bytes()));
            let comes_back =
                |earlier: Vec<Vec<Literal>>| matches!(region::find(&literals, &earlier), Verdict::Inhabited(_));
            gateways()
                .any(|gateway| earlier(gateway).is_some_and(comes_back))
                .then_some(path)
        }
    }
}

/// Whether a prefix is replaced by something that begins with it.
fn grows(rules: &Rules, index: usize, rewrite: &str) -> bool {
    match rules.route_match(index).map(|matches| &matches.path) {
        Some(PathMatcher::Prefix(prefix)) => rewrite.as_bytes().starts_with(prefix),
        _ => false,
    }
}
