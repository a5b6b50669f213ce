//! `fault`.

use super::one_of::at_most_one;
use super::{At, value};
use crate::action::fault::GRPC_STATUSES;
use crate::config::virtual_service::{Abort, Delay, HTTPFaultInjection};
use crate::finding::Severity;

/// Istio's code of a deprecated field.
const DEPRECATED: &str = "IST0002";

pub(super) fn fault(at: &At, fault: &HTTPFaultInjection) {
    if fault.delay.is_none() && fault.abort.is_none() {
        at.error("injects nothing; write delay, abort or both");
    }
    if let Some(abort) = &fault.abort {
        self::abort(&at.field("abort"), abort);
    }
    if let Some(delay) = &fault.delay {
        self::delay(&at.field("delay"), delay);
    }
}

fn abort(at: &At, abort: &Abort) {
    value::fault_percent(&at.field("percentage"), abort.percentage.as_ref());
    at_most_one(
        at,
        &[
            ("httpStatus", abort.http_status.is_some()),
            ("grpcStatus", abort.grpc_status.is_some()),
            ("http2Error", abort.http2_error.is_some()),
        ],
    );
    if let Some(status) = abort.http_status {
        value::http_status(&at.field("httpStatus"), status);
    }
    if let Some(status) = abort
        .grpc_status
        .as_deref()
        .filter(|status| !GRPC_STATUSES.contains(status))
    {
        at.field("grpcStatus")
            .error(format!("`{status}` is no status of gRPC; write one as UNAVAILABLE"));
    }
    if abort.http2_error.is_some() {
        at.field("http2Error")
            .error("was never implemented by Istio; write httpStatus or grpcStatus");
    }
}

fn delay(at: &At, delay: &Delay) {
    value::fault_percent(&at.field("percentage"), delay.percentage.as_ref());
    at_most_one(
        at,
        &[
            ("fixedDelay", delay.fixed_delay.is_some()),
            ("exponentialDelay", delay.exponential_delay.is_some()),
        ],
    );
    value::duration(&at.field("fixedDelay"), delay.fixed_delay.as_ref());
    value::duration(&at.field("exponentialDelay"), delay.exponential_delay.as_ref());
    if delay.exponential_delay.is_some() {
        at.field("exponentialDelay")
            .error("was never implemented by Istio; write fixedDelay");
    }
    let percent = at.field("percent");
    value::int32(&percent, delay.percent);
    if delay.percent != 0 {
        let message = "is deprecated; write percentage: {value: …}";
        percent.add(Severity::Warning, DEPRECATED, message);
    }
}
