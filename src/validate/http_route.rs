//! A rule of `http`.
//!
//! `validateHTTPRoute`, istio `pkg/config/validation/virtualservice.go`.

use super::headers::{is_authority, operations};
use super::{At, cors, destination, direct_response, fault, http_match, mirror, redirect, retry, rewrite, value};
use crate::config::virtual_service::HTTPRoute;

/// What kind of VirtualService a rule stands in.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Others delegate to it.
    pub is_delegate: bool,
    /// Sidecars read it, where no tokens are checked.
    pub is_for_sidecars: bool,
}

pub(super) fn http_route(at: &At, rule: &HTTPRoute, place: Place) {
    action(at, rule, place);
    for (at, entry) in at.each("match", &rule.r#match) {
        http_match::http_match(&at, entry, place);
    }
    operations(&at.field("headers"), rule.headers.as_deref());
    if let Some(policy) = &rule.cors_policy {
        cors::cors_policy(&at.field("corsPolicy"), policy);
    }
    if let Some(fault) = &rule.fault {
        fault::fault(&at.field("fault"), fault);
    }
    mirror::mirrors(at, rule);
    if let Some(redirect) = &rule.redirect {
        redirect::redirect(&at.field("redirect"), redirect, &rule.r#match);
    }
    if let Some(response) = &rule.direct_response {
        direct_response::direct_response(&at.field("directResponse"), response);
    }
    if let Some(retries) = &rule.retries {
        retry::retries(&at.field("retries"), retries);
    }
    if let Some(rewrite) = &rule.rewrite {
        rewrite::rewrite(&at.field("rewrite"), rewrite);
    }
    authority(at, rule);
    destination::http_routes(at, &rule.route);
    value::duration(&at.field("timeout"), rule.timeout.as_ref());
}

/// A rule does one thing.
fn action(at: &At, rule: &HTTPRoute, place: Place) {
    let route = ("route", !rule.route.is_empty());
    let redirect = ("redirect", rule.redirect.is_some());
    let direct_response = ("directResponse", rule.direct_response.is_some());
    let fault = ("fault", rule.fault.is_some());
    let rewrite = ("rewrite", rule.rewrite.is_some());
    if rule.delegate.is_some() && !place.is_delegate {
        return conflicts(at, "delegate", &[route, redirect]);
    }
    if rule.delegate.is_some() {
        at.field("delegate").error(
            "stands in a VirtualService that others delegate to, and delegation goes one step; write the rule itself",
        );
    }
    if redirect.1 {
        conflicts(at, "redirect", &[route, direct_response, fault, rewrite]);
    } else if direct_response.1 {
        conflicts(at, "directResponse", &[route, fault, rewrite]);
    } else if !route.1 {
        at.error("does nothing; write route, redirect, directResponse or delegate");
    }
    if rule.mirror.is_some() && !rule.mirrors.is_empty() {
        at.field("mirrors").error("stands beside mirror; keep one of them");
    }
}

fn conflicts(at: &At, kept: &str, others: &[(&str, bool)]) {
    for (other, _) in others.iter().filter(|(_, is_there)| *is_there) {
        at.field(other)
            .error(format!("has no effect beside {kept}; keep one of them"));
    }
}

/// Only one of a rule's fields may set the authority.
fn authority(at: &At, rule: &HTTPRoute) {
    let request = rule.headers.as_ref().and_then(|headers| headers.request.as_ref());
    let Some(request) = request else { return };
    let rewritten = rule
        .rewrite
        .as_ref()
        .is_some_and(|rewrite| !rewrite.authority.is_empty());
    let mut setter = rewritten.then(|| "rewrite.authority".to_owned());
    for (field, map) in [("set", &request.set), ("add", &request.add)] {
        for name in map.keys().filter(|name| is_authority(name)) {
            let path = format!("headers.request.{field}.{name}");
            match &setter {
                Some(setter) => at
                    .field(&path)
                    .error(format!("sets the authority, as {setter} does; keep one of them")),
                None => setter = Some(path),
            }
        }
    }
}
