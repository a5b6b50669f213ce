//! Durations, ports, percentages, numbers and enumerations.

use std::time::Duration;

use super::At;
use crate::config::virtual_service::Percent;
use crate::duration;

/// A duration of at least a millisecond, and of whole ones.
pub(super) fn duration(at: &At, text: Option<&String>) {
    if let Some(duration) = parsed(at, text) {
        at_least_a_millisecond(at, duration);
    }
}

/// As [`duration()`], and nothing at all turns what it is about off.
pub(super) fn duration_or_off(at: &At, text: Option<&String>) {
    if let Some(duration) = parsed(at, text).filter(|duration| duration.as_millis() != 0) {
        at_least_a_millisecond(at, duration);
    }
}

/// A duration of at least a second, and of whole ones.
pub(super) fn seconds(at: &At, text: Option<&String>) {
    let Some(duration) = parsed(at, text) else { return };
    if duration.subsec_nanos() == 0 || duration.as_millis() == 0 {
        at_least_a_millisecond(at, duration);
    } else {
        at.error(format!(
            "`{}` is not whole seconds; write it as 24h or 600s",
            text.map_or("", String::as_str)
        ));
    }
}

/// Any duration; the value where it is one.
pub(super) fn parsed(at: &At, text: Option<&String>) -> Option<Duration> {
    match duration::parse(text?) {
        Ok(duration) => Some(duration),
        Err(error) => {
            at.error(error.0);
            None
        }
    }
}

fn at_least_a_millisecond(at: &At, duration: Duration) {
    if duration < Duration::from_millis(1) {
        at.error("is shorter than 1ms, the shortest there is; leave the field out for none");
    } else if !duration.subsec_nanos().is_multiple_of(1_000_000) {
        at.error("is not whole milliseconds; nothing finer is kept");
    }
}

/// The numbers that ports have.
pub(super) const PORTS: std::ops::RangeInclusive<i64> = 1..=65_535;

/// 1 to 65535.
pub(super) fn port(at: &At, number: i64) {
    if !PORTS.contains(&number) {
        at.error(format!("{number} is no port; write 1 to 65535"));
    }
}

/// A share of a fault: 0, or 0.0001 to 100.
pub(super) fn fault_percent(at: &At, percent: Option<&Percent>) {
    let Some(Percent { value }) = percent else { return };
    if *value != 0.0 && !(0.0001..=100.0).contains(value) {
        at.field("value").error("is no share; write 0, or 0.0001 to 100");
    }
}

/// A share of a mirror: 0 to 100.
pub(super) fn mirror_percent(at: &At, percent: Option<&Percent>) {
    let Some(Percent { value }) = percent else { return };
    if !(0.0..=100.0).contains(value) {
        at.field("value").error("is no share; write 0 to 100");
    }
}

/// 0 to 100.
pub(super) fn whole_percent(at: &At, value: i64) {
    if !(0..=100).contains(&value) {
        at.error(format!("{value} is no percentage; write 0 to 100"));
    }
}

/// 0 or more, and no more than the field holds.
pub(super) fn not_negative(at: &At, value: i64) {
    if value < 0 {
        at.error(format!("{value} is negative; write 0 or more"));
    }
    int32(at, value);
}

/// No more and no less than a field of 32 bits holds.
pub(super) fn int32(at: &At, value: i64) {
    if i32::try_from(value).is_err() {
        at.error(format!(
            "{value} is more than the field holds; write at most {}",
            i32::MAX
        ));
    }
}

/// 0 or more, and no more than a field of 32 bits holds.
pub(super) fn uint32(at: &At, value: i64) {
    if u32::try_from(value).is_err() {
        at.error(format!("{value} does not fit the field; write 0 to {}", u32::MAX));
    }
}

/// An HTTP status. Istio takes 600 by mistake, and Envoy then refuses it; it is refused here.
pub(super) fn http_status(at: &At, status: i64) {
    if !(200..=599).contains(&status) {
        at.error(format!("{status} is no status to answer with; write 200 to 599"));
    }
}

/// One of the names that an enumeration has.
pub(super) fn enumeration(at: &At, value: Option<&String>, names: &[&str]) {
    if let Some(value) = value.filter(|value| !names.contains(&value.as_str())) {
        at.error(format!("`{value}` is none of {}", names.join(", ")));
    }
}

/// Names of protocols, in any case.
pub(super) const PROTOCOLS: [&str; 13] = [
    "HTTP",
    "HTTP2",
    "HTTPS",
    "GRPC",
    "GRPC-WEB",
    "HTTP_PROXY",
    "TLS",
    "TCP",
    "UDP",
    "MONGO",
    "REDIS",
    "MYSQL",
    "HBONE",
];

/// What a port's protocol says of its traffic.
#[derive(Clone, Copy)]
pub(super) struct Protocol {
    /// Requests can be seen.
    pub is_http: bool,
    /// TLS, and a server's name with it.
    pub is_tls: bool,
}

impl Protocol {
    /// None where Istio does not know it.
    ///
    /// `protocol.Parse`, istio `pkg/config/protocol/instance.go`.
    pub fn parse(name: &str) -> Option<Self> {
        let name = PROTOCOLS.iter().find(|known| known.eq_ignore_ascii_case(name))?;
        Some(Protocol {
            is_http: ["HTTP", "HTTP2", "HTTP_PROXY", "GRPC", "GRPC-WEB"].contains(name),
            is_tls: ["HTTPS", "TLS"].contains(name),
        })
    }
}

/// A socket's path behind `unix://`: absolute, or abstract behind `@`.
pub(super) fn unix_path(at: &At, path: &str) {
    if !path.starts_with('@') && (!path.starts_with('/') || path.ends_with('/')) {
        at.error(format!("`{path}` is no file's whole path"));
    }
}
