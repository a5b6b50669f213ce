//! The differences that are meant; `testdata/differences.md` argues for each.

use crate::case::Case;
use crate::outcome::Outcome;

/// The reason for which the nearest of our outcomes is not the observed one; `fields` are those in which they differ.
pub fn reason(case: &Case, observed: &Outcome, ours: &Outcome, fields: &[String]) -> Option<&'static str> {
    match (observed, ours) {
        (Outcome::Untouched, Outcome::Answered(_)) if has_wildcard(case) => Some("wildcard"),
        (Outcome::Answered(_), Outcome::Answered(ours)) => {
            let only_mirrors = fields.iter().all(|field| field.starts_with("mirrors:"));
            (only_mirrors && ours.has_no_host()).then_some("mirror-without-primary")
        }
        _ => None,
    }
}

/// Whether the list has a line for the reason.
pub fn is_argued_for(reason: &str) -> bool {
    include_str!("../../testdata/differences.md").contains(&format!("\n| `{reason}` |"))
}

fn has_wildcard(case: &Case) -> bool {
    let services = case
        .resources
        .iter()
        .filter(|object| object["kind"] == "VirtualService");
    let mut hosts = services.flat_map(|service| service["spec"]["hosts"].as_array().into_iter().flatten());
    hosts.any(|host| host.as_str().unwrap().starts_with('*'))
}
