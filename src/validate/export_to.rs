//! `exportTo`.

use super::{At, name};

/// What is exported.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Exported {
    /// Routes or policies.
    Rules,
    /// A policy for some workloads, which are the namespace's own.
    OwnWorkloads,
    /// A service, which may be kept from everyone but its own proxies.
    Service,
}

pub(super) fn export_to(at: &At, export_to: &[String], exported: Exported) {
    let mut seen: Vec<&str> = Vec::new();
    for (at, entry) in at.each("exportTo", export_to) {
        let namespace = if entry == "." { at.namespace() } else { entry.as_str() };
        if seen.contains(&namespace) {
            at.error(format!("`{entry}` is here twice; keep one"));
        } else if is_visibility(namespace) || namespace == "~" && exported == Exported::Service {
            seen.push(namespace);
        } else {
            at.error(format!(
                "`{entry}` is no namespace; write names, `.` for this one or `*` for all"
            ));
        }
    }
    let at = at.field("exportTo");
    for (all, meaning) in [("*", "everyone"), ("~", "no one")] {
        if seen.contains(&all) && export_to.len() > 1 {
            at.error(format!("`{all}` is {meaning}; remove the others"));
        }
    }
    if exported == Exported::OwnWorkloads && !seen.is_empty() && seen != [at.namespace()] {
        at.error("goes beyond the namespace whose workloads workloadSelector picks; write `.`");
    }
}

fn is_visibility(entry: &str) -> bool {
    entry == "*" || name::is_label(entry)
}
