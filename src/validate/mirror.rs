//! `mirror`, `mirrors` and their shares.

use super::destination::destination;
use super::{At, value};
use crate::config::virtual_service::HTTPRoute;

pub(super) fn mirrors(at: &At, rule: &HTTPRoute) {
    if let Some(percent) = rule.mirror_percent {
        let at = at.field("mirrorPercent");
        value::whole_percent(&at, percent);
        at.warn("is deprecated; write mirrorPercentage: {value: …}");
    }
    value::mirror_percent(&at.field("mirrorPercentage"), rule.mirror_percentage.as_ref());
    if let Some(mirror) = &rule.mirror {
        destination(&at.field("mirror"), mirror);
    }
    for (at, mirror) in at.each("mirrors", &rule.mirrors) {
        match &mirror.destination {
            Some(mirror) => destination(&at.field("destination"), mirror),
            None => at.field("destination").error("is missing; write {host: …}"),
        }
        value::mirror_percent(&at.field("percentage"), mirror.percentage.as_ref());
    }
}
