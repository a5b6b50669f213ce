//! A routed request as it goes on: what the filter writes into its headers for Envoy's router and for the upstream.

use std::borrow::Cow;
use std::time::Duration;

use crate::action::mirror;
use crate::decision::Routed;
use crate::header::edits::HeaderEdits;
use crate::header::format::Attribute;
use crate::header::parser::Side;
use crate::request::Request;
use crate::reserved;

impl Routed {
    /// Everything that changes in the request's headers: a client's copies of reserved ones go, the cluster is named, and then what
    /// Envoy's router would do for istiod's route, in its order: header operations, authority, path; timeouts and retries are asked for.
    /// `proxy` says what only the proxy knows.
    pub fn request_edits<'t, 'm>(
        &'t self,
        request: &Request<'m>,
        proxy: &dyn Fn(Attribute) -> Option<Vec<u8>>,
    ) -> HeaderEdits<'t, 'm> {
        let mut edits = HeaderEdits::new(request.headers);
        remove_reserved(request, &mut edits);
        let name = self
            .cluster()
            .map_or(Cow::Borrowed(""), |cluster| cluster.cluster.name(|| request.port()));
        edits.set(reserved::CLUSTER, into_bytes(name));
        if self.is_answered_here() {
            return edits;
        }
        let (Some(forward), Some(destination)) = (self.forward(), self.cluster()) else {
            return edits;
        };
        if let Some(timeout) = forward.timeout {
            edits.set(
                "x-envoy-upstream-rq-timeout-ms",
                milliseconds(self.timeout(timeout, request)),
            );
        }
        if let Some(retry) = &forward.retry {
            edits.set(reserved::RETRY, retry.variant.key().into_bytes());
            retry
                .headers
                .iter()
                .for_each(|(name, value)| edits.set(*name, value.as_bytes()));
        }
        let attribute = self.before_response(request, proxy);
        let side = Side::Request(&attribute);
        destination.request_headers.evaluate(&mut edits, side);
        self.route.action.request_headers.evaluate(&mut edits, side);
        if let Some(authority) = forward.authority.as_deref().or(destination.authority.as_deref()) {
            edits.set("x-envoy-original-host", request.authority.to_vec());
            edits.set(":authority", authority.as_bytes());
        }
        if let Some(rewrite) = &forward.path {
            edits.set("x-envoy-original-path", request.path.to_vec());
            edits.set(":path", rewrite.apply(request, &self.route.matches.path));
        }
        edits
    }

    /// Lets Envoy's router make the copies, where its routes are ours.
    pub fn ask_for_copies<'t>(&'t self, request: &Request, edits: &mut HeaderEdits<'t, '_>) {
        let clusters = self.mirrors().map(|mirror| mirror.cluster.name(|| request.port()));
        if let Some(key) = mirror::key(clusters) {
            edits.set(reserved::MIRROR, into_bytes(key));
        }
    }

    /// A gRPC client's own deadline holds where it is shorter, as under `max_grpc_timeout`.
    fn timeout(&self, timeout: Duration, request: &Request) -> Duration {
        let own = request
            .headers
            .get("grpc-timeout")
            .filter(|_| request.is_grpc())
            .and_then(grpc_timeout);
        own.filter(|own| !own.is_zero()).map_or(timeout, |own| own.min(timeout))
    }
}

/// No client names a cluster.
pub fn remove_reserved<'m>(request: &Request<'m>, edits: &mut HeaderEdits<'_, 'm>) {
    if !request.has_reserved() {
        return;
    }
    let names = request.headers.iter().map(|(name, _)| name);
    for name in names.filter(|name| reserved::is_reserved(name)) {
        if let Ok(name) = std::str::from_utf8(name) {
            edits.remove(name.to_owned());
        }
    }
}

fn into_bytes(text: Cow<str>) -> Cow<[u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

fn milliseconds(duration: Duration) -> Vec<u8> {
    duration.as_nanos().div_ceil(1_000_000).to_string().into_bytes()
}

/// `grpc-timeout`: at most eight digits and a unit.
fn grpc_timeout(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    let amount: u64 = std::str::from_utf8(digits)
        .ok()
        .filter(|digits| digits.len() <= 8)?
        .parse()
        .ok()?;
    match unit {
        b'H' => Some(Duration::from_secs(amount * 3600)),
        b'M' => Some(Duration::from_secs(amount * 60)),
        b'S' => Some(Duration::from_secs(amount)),
        b'm' => Some(Duration::from_millis(amount)),
        b'u' => Some(Duration::from_micros(amount)),
        b'n' => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::map::HeaderMap;

    #[test]
    fn a_reserved_header_goes_wherever_it_stands() {
        let left = |names: &[&'static str]| {
            let headers: HeaderMap = names.iter().map(|name| (*name, "1")).collect();
            let mut edits = HeaderEdits::new(&headers);
            remove_reserved(&Request::new(&headers), &mut edits);
            edits.applied().iter().count()
        };
        assert_eq!(left(&[":path", "a", "x-switchyard"]), 3);
        assert_eq!(
            left(&[":path", "x-switchyard-cluster", "a", "x-switchyard-any", "b"]),
            3
        );
    }

    #[test]
    fn grpc_timeouts_are_read() {
        assert_eq!(grpc_timeout(b"1500u"), Some(Duration::from_micros(1500)));
        assert_eq!(milliseconds(Duration::from_micros(1500)), b"2");
        assert_eq!(grpc_timeout(b"123456789m"), None);
        assert_eq!(grpc_timeout(b""), None);
    }
}
