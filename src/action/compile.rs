//! A rule's action, as istiod would translate it.
//!
//! `translateRoute`, istio `pilot/pkg/networking/core/route/route.go`.

use std::time::Duration;

use base64::Engine;

use super::{ActionKind, Cluster, DirectResponse, Forward, RequestMirrorPolicy, RouteAction, WeightedCluster};
use crate::action::cors::CorsPolicy;
use crate::action::fault::{Abort, Fault, Fraction, GRPC_STATUSES};
use crate::action::hash_policy::HashPolicy;
use crate::action::percent;
use crate::action::redirect::{PathRedirect, Redirect};
use crate::action::retry::RetryPolicy;
use crate::action::rewrite::PathRewrite;
use crate::config::virtual_service::{
    Destination, HTTPDirectResponse, HTTPRedirect, HTTPRewrite, HTTPRoute, HTTPRouteDestination, HeaderOperations,
    Headers,
};
use crate::duration;
use crate::header::parser::HeaderParser;
use crate::hostname;
use crate::matcher::StringMatcher;
use crate::route::{Listener, Place};

impl RouteAction {
    /// Compiles a rule, less its matches.
    pub(crate) fn compile(rule: &HTTPRoute, listener: &Listener, at: &mut Place) -> Self {
        RouteAction {
            fault: fault(rule),
            cors: rule.cors_policy.as_ref().map(|policy| CorsPolicy {
                allow_origins: if policy.allow_origins.is_empty() {
                    policy
                        .allow_origin
                        .iter()
                        .map(|origin| StringMatcher::Exact(origin.as_bytes().into()))
                        .collect()
                } else {
                    let origins = policy.allow_origins.iter().enumerate();
                    origins
                        .map(|(index, origin)| at.string(&format!("corsPolicy.allowOrigins[{index}]"), origin))
                        .collect()
                },
                allow_methods: policy.allow_methods.join(",").into(),
                allow_headers: policy.allow_headers.join(",").into(),
                expose_headers: policy.expose_headers.join(",").into(),
                max_age: milliseconds(policy.max_age.as_deref()).map(|age| age.as_secs().to_string().into()),
                allow_credentials: policy.allow_credentials.unwrap_or_default(),
                forward_unmatched_preflights: policy.unmatched_preflights.as_deref() != Some("IGNORE"),
            }),
            request_headers: parser(rule.headers.as_deref(), |headers| headers.request.as_ref()),
            response_headers: parser(rule.headers.as_deref(), |headers| headers.response.as_ref()),
            kind: kind(rule, listener, at),
        }
        .with_lone_destination_joined()
    }

    /// A lone destination's operations stand in one list with the rule's; of several, each has its own.
    fn with_lone_destination_joined(mut self) -> Self {
        if let ActionKind::Forward(forward) = &mut self.kind
            && let [destination] = &mut *forward.clusters
            && !forward.is_split
        {
            let request = std::mem::take(&mut destination.request_headers);
            let response = std::mem::take(&mut destination.response_headers);
            self.request_headers = self.request_headers.joined(request);
            self.response_headers = self.response_headers.joined(response);
        }
        self
    }
}

fn kind(rule: &HTTPRoute, listener: &Listener, at: &mut Place) -> ActionKind {
    if let Some(redirect) = &rule.redirect {
        return ActionKind::Redirect(self::redirect(redirect, listener));
    }
    if let Some(response) = &rule.direct_response {
        return ActionKind::DirectResponse(direct_response(response));
    }
    ActionKind::Forward(Box::new(forward(rule, listener, at)))
}

fn parser(headers: Option<&Headers>, side: impl Fn(&Headers) -> Option<&HeaderOperations>) -> HeaderParser {
    headers.and_then(side).map(HeaderParser::new).unwrap_or_default()
}

fn fault(rule: &HTTPRoute) -> Fault {
    let Some(fault) = &rule.fault else {
        return Fault::default();
    };
    let never = percent::whole(0);
    let delay = fault.delay.as_ref().and_then(|delay| {
        let fraction = delay
            .percentage
            .as_ref()
            .map_or(percent::whole(delay.percent), percent::fraction);
        Some((milliseconds(delay.fixed_delay.as_deref())?, fraction))
    });
    let abort = fault.abort.as_ref().and_then(|abort| {
        let http = abort
            .http_status
            .and_then(|status| u16::try_from(status).ok())
            .map(Abort::Http);
        let grpc = abort
            .grpc_status
            .as_deref()
            .and_then(|name| GRPC_STATUSES.iter().position(|status| *status == name));
        let grpc = grpc.and_then(|status| u8::try_from(status).ok()).map(Abort::Grpc);
        Some((
            http.or(grpc)?,
            abort.percentage.as_ref().map_or(never, percent::fraction),
        ))
    });
    Fault { delay, abort }
}

/// A duration of at least a millisecond; anything shorter is none.
fn milliseconds(text: Option<&str>) -> Option<Duration> {
    let duration = duration::parse(text?).ok()?;
    (duration.as_millis() > 0).then_some(duration)
}

fn redirect(redirect: &HTTPRedirect, listener: &Listener) -> Redirect {
    let some = |text: &str| (!text.is_empty()).then(|| text.into());
    let derived = || {
        listener
            .port
            .filter(|_| redirect.derive_port.as_deref() == Some("FROM_REQUEST_PORT"))
    };
    let port = redirect.port.and_then(|port| u16::try_from(port).ok()).or_else(derived);
    let https = redirect.scheme == "https";
    Redirect {
        status: u16::try_from(redirect.redirect_code)
            .ok()
            .filter(|code| *code != 0)
            .unwrap_or(301),
        scheme: some(&redirect.scheme),
        host: some(&redirect.authority),
        port: port.filter(|port| *port != if https { 443 } else { 80 }),
        path: match (redirect.uri.as_str(), redirect.prefix_rewrite.as_str()) {
            ("", "") => PathRedirect::Keep,
            ("", prefix) => PathRedirect::Prefix(prefix.into()),
            (path, _) => PathRedirect::Whole(path.into()),
        },
    }
}

fn direct_response(response: &HTTPDirectResponse) -> DirectResponse {
    let body = response.body.as_ref();
    let bytes = body
        .and_then(|body| body.bytes.as_deref())
        .and_then(|text| base64::prelude::BASE64_STANDARD.decode(text).ok());
    let text = || {
        body.and_then(|body| body.string.clone())
            .unwrap_or_default()
            .into_bytes()
    };
    DirectResponse {
        status: u16::try_from(response.status).unwrap_or_default(),
        body: bytes.unwrap_or_else(text).into(),
    }
}

fn forward(rule: &HTTPRoute, listener: &Listener, at: &mut Place) -> Forward {
    let is_split = rule.route.len() > 1;
    let chosen = rule.route.iter().filter(|route| !is_split || route.weight > 0);
    let destinations = chosen.clone().filter_map(|route| route.destination.as_ref());
    let hash: Box<[HashPolicy]> = destinations
        .filter_map(|destination| hash_policy(destination, listener, at))
        .collect();
    let clusters: Box<[WeightedCluster]> = chosen.map(|route| weighted_cluster(route, listener, at)).collect();
    let hashed = !is_split && !hash.is_empty();
    let rewrite = rule.rewrite.as_ref();
    let authority = rewrite
        .map(|rewrite| rewrite.authority.as_str())
        .filter(|authority| !authority.is_empty());
    Forward {
        total_weight: clusters.iter().map(|cluster| cluster.weight).sum(),
        clusters,
        is_split,
        hash,
        authority: authority
            .map(Into::into)
            .or_else(|| self::authority(rule.headers.as_deref())),
        path: rewrite.and_then(|rewrite| path_rewrite(rewrite, at)),
        timeout: milliseconds(rule.timeout.as_deref()),
        retry: RetryPolicy::new(rule.retries.as_deref(), hashed),
        mirrors: mirrors(rule, listener, at),
    }
}

fn weighted_cluster(route: &HTTPRouteDestination, listener: &Listener, at: &Place) -> WeightedCluster {
    let destination = route.destination.as_ref();
    WeightedCluster {
        cluster: cluster(destination, listener, at),
        subset: destination
            .map(|destination| destination.subset.as_str())
            .unwrap_or_default()
            .into(),
        weight: u64::try_from(route.weight).unwrap_or_default(),
        authority: authority(route.headers.as_deref()),
        request_headers: parser(route.headers.as_deref(), |headers| headers.request.as_ref()),
        response_headers: parser(route.headers.as_deref(), |headers| headers.response.as_ref()),
    }
}

/// `set` wins over `add`; nothing else names a host.
fn authority(headers: Option<&Headers>) -> Option<Box<str>> {
    let operations = headers?.request.as_ref()?;
    let named = |(name, value): (&String, &String)| {
        (name.eq_ignore_ascii_case("host") || name == ":authority").then(|| value.as_str().into())
    };
    operations
        .set
        .iter()
        .find_map(named)
        .or_else(|| operations.add.iter().find_map(named))
}

/// The port is the destination's, or its service's only one, or the listener's.
///
/// `GetDestinationCluster`, istio `pilot/pkg/networking/core/route/route.go`.
fn cluster(destination: Option<&Destination>, listener: &Listener, at: &Place) -> Cluster {
    let Some(destination) = destination else {
        return Cluster::Named("".into());
    };
    let host = host(destination, listener, at);
    let service = listener.registry.service(&host);
    let only = || service.and_then(|service| service.only_port());
    let host = service
        .and_then(|service| service.external_name.as_deref())
        .unwrap_or(&host);
    let port = written_port(destination).or_else(only).or(listener.port);
    Cluster::new(port, &destination.subset, host)
}

fn host(destination: &Destination, listener: &Listener, at: &Place) -> String {
    hostname::resolve(&destination.host, &at.object.metadata.namespace, &listener.proxy.domain)
}

fn written_port(destination: &Destination) -> Option<u16> {
    let port = destination.port.as_ref()?;
    u16::try_from(port.number).ok().filter(|port| *port > 0)
}

fn hash_policy(destination: &Destination, listener: &Listener, at: &Place) -> Option<HashPolicy> {
    let rule = listener.destination_rules?.rule(&host(destination, listener, at))?;
    HashPolicy::new(rule.consistent_hash(&destination.subset, written_port(destination))?)
}

fn path_rewrite(rewrite: &HTTPRewrite, at: &mut Place) -> Option<PathRewrite> {
    let Some(substitution) = &rewrite.uri_regex_rewrite else {
        return (!rewrite.uri.is_empty()).then(|| PathRewrite::Matched(rewrite.uri.as_str().into()));
    };
    match at.regexes.anywhere(&substitution.r#match) {
        Ok(regex) => Some(PathRewrite::Regex(regex, substitution.rewrite.as_str().into())),
        Err(error) => {
            at.refuse("rewrite.uriRegexRewrite.match", error.0);
            None
        }
    }
}

/// A share that is not written is all; no share is no mirror.
fn mirrors(rule: &HTTPRoute, listener: &Listener, at: &Place) -> Box<[RequestMirrorPolicy]> {
    let whole = || rule.mirror_percent.map_or(Fraction::ALL, percent::whole);
    let single = rule.mirror.iter().map(|mirror| {
        (
            Some(mirror),
            rule.mirror_percentage.as_ref().map_or_else(whole, percent::fraction),
        )
    });
    let several = rule.mirrors.iter().map(|mirror| {
        let fraction = mirror.percentage.as_ref().map_or(Fraction::ALL, percent::fraction);
        (mirror.destination.as_ref(), fraction)
    });
    let wanted = single.chain(several).filter(|(_, fraction)| fraction.numerator > 0);
    let policy = |(destination, fraction)| RequestMirrorPolicy {
        cluster: cluster(destination, listener, at),
        fraction,
    };
    wanted.map(policy).collect()
}
