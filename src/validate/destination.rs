//! Destinations and their weights.

use super::headers::operations;
use super::{At, name, value};
use crate::config::layer4::RouteDestination;
use crate::config::virtual_service::{Destination, HTTPRouteDestination, PortSelector};

/// `route` of a rule.
pub(super) fn http_routes(at: &At, routes: &[HTTPRouteDestination]) {
    for (at, route) in at.each("route", routes) {
        operations(&at.field("headers"), route.headers.as_deref());
        weighted(&at, route.destination.as_ref(), route.weight);
    }
    total(at, routes.iter().map(|route| route.weight));
}

/// `route` of a rule for TLS or TCP.
pub(super) fn layer4_routes(at: &At, routes: &[RouteDestination]) {
    for (at, route) in at.each("route", routes) {
        weighted(&at, route.destination.as_ref(), route.weight);
    }
    total(at, routes.iter().map(|route| route.weight));
}

fn weighted(at: &At, destination: Option<&Destination>, weight: i64) {
    match destination {
        Some(destination) => self::destination(&at.field("destination"), destination),
        None => at.field("destination").error("is missing; write {host: …}"),
    }
    value::not_negative(&at.field("weight"), weight);
}

fn total(at: &At, weights: impl ExactSizeIterator<Item = i64>) {
    if weights.len() > 1 && weights.sum::<i64>() == 0 {
        at.field("route")
            .error("has several destinations and no weight above 0; give each its share");
    }
}

pub(super) fn destination(at: &At, destination: &Destination) {
    let host = at.field("host");
    if destination.host == "*" {
        host.error("`*` is no destination; name a service");
    } else {
        name::wildcard_host(&host, &destination.host);
    }
    if !destination.subset.is_empty() && !name::is_label(&destination.subset) {
        at.field("subset").error(format!(
            "`{}` is no subset's name: letters, digits and dashes",
            destination.subset
        ));
    }
    port_selector(&at.field("port"), destination.port.as_ref());
}

pub(super) fn port_selector(at: &At, port: Option<&PortSelector>) {
    if let Some(port) = port {
        value::port(&at.field("number"), port.number);
    }
}
