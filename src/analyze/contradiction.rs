//! Why no request can meet a match.

use super::rules::Rules;
use crate::region::{self, Literal, Variable, Verdict};

/// The first condition that nothing can meet, or the first two that nothing can meet together.
pub(super) fn reason(rules: &Rules, index: usize) -> String {
    let Some(literals) = rules.literals(index) else {
        return "no request can meet it".to_owned();
    };
    if !rules.gateways().iter().any(|gateway| rules.applies(index, gateway)) {
        return "no request can meet it: the VirtualService is not for the gateways it names".to_owned();
    }
    let is_empty = |literals: &[Literal]| matches!(region::find(literals, &[]), Verdict::Empty(_));
    let alone = literals.iter().find(|literal| is_empty(std::slice::from_ref(*literal)));
    if let Some(literal) = alone {
        return format!("no request can meet it: {}", why(literal));
    }
    let pairs = literals
        .iter()
        .enumerate()
        .flat_map(|(at, a)| literals.iter().take(at).map(move |b| (b, a)));
    for (a, b) in pairs {
        if is_empty(&[a.clone(), b.clone()]) {
            return match (field(a), field(b)) {
                (a, b) if a == b => format!("no request can meet it: the conditions on {a} contradict each other"),
                (a, b) => format!("no request can meet it: {a} and {b} contradict each other"),
            };
        }
    }
    "no request can meet it: its conditions contradict each other".to_owned()
}

fn why(literal: &Literal) -> String {
    let text = literal.text().map(String::from_utf8_lossy);
    let text = text.as_deref();
    match literal.variable() {
        Variable::Path if text.is_some_and(|text| text.contains('?')) => {
            "uri is compared with the path up to its query; write the query under queryParams".to_owned()
        }
        Variable::Path if text.is_some_and(|text| !text.starts_with('/')) => "every path begins with /".to_owned(),
        Variable::Path => "no path is written like this once Envoy has normalised it".to_owned(),
        Variable::Scheme => "the scheme is http or https".to_owned(),
        _ => format!("{} can not be like this", field(literal)),
    }
}

/// As it is written.
fn field(literal: &Literal) -> String {
    let map = |name: &str| {
        format!(
            "{}.{name}",
            if literal.is_wanted() {
                "headers"
            } else {
                "withoutHeaders"
            }
        )
    };
    match literal.variable() {
        Variable::Path => "uri".to_owned(),
        Variable::Method => "method".to_owned(),
        Variable::Authority => "authority".to_owned(),
        Variable::Scheme => "scheme".to_owned(),
        Variable::Port => "port".to_owned(),
        Variable::SourceNamespace => "sourceNamespace".to_owned(),
        Variable::SourceLabel(name) => format!("sourceLabels.{name}"),
        Variable::Header(name) => map(name),
        Variable::QueryParameter(name) => format!("queryParams.{name}"),
    }
}
