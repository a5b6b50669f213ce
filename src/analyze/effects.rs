//! Settings that do nothing, or not what they seem to.

use std::time::Duration;

use super::{Findings, reference};
use crate::action::percent;
use crate::config::virtual_service::{Destination, HTTPRoute, Percent, VirtualService};
use crate::config::{Config, Object};
use crate::duration;
use crate::finding::Severity;
use crate::hostname;
use crate::registry::Registry;

const FAULT_FOR_NOBODY: &str = "SWY0105";
const MIRROR_FOR_NOBODY: &str = "SWY0106";
const MIRROR_TO_ITSELF: &str = "SWY0107";
const RETRIES_BEYOND_TIMEOUT: &str = "SWY0108";
const NO_EFFECT: &str = "SWY0109";

pub(super) fn check(object: &Object<VirtualService>, config: &Config, registry: &Registry, findings: &mut Findings) {
    for (http, rule) in object.spec.http.iter().enumerate() {
        let rule = At {
            object,
            path: format!("http[{http}]"),
            http,
            rule,
        };
        rule.faults(findings);
        rule.mirrors(&config.proxy.domain, registry, findings);
        rule.retries(findings);
        rule.without_effect(findings);
    }
}

struct At<'a> {
    object: &'a Object<VirtualService>,
    path: String,
    http: usize,
    rule: &'a HTTPRoute,
}

impl At<'_> {
    fn say(&self, findings: &mut Findings, severity: Severity, code: &'static str, path: &str, message: String) {
        findings.add(self.object, (severity, code), format!("{}.{path}", self.path), message);
    }

    /// A share that is not written is none.
    fn faults(&self, findings: &mut Findings) {
        let Some(fault) = &self.rule.fault else {
            return;
        };
        let delay = fault
            .delay
            .as_ref()
            .map(|delay| ("delay", &delay.percentage, delay.percent));
        let abort = fault.abort.as_ref().map(|abort| ("abort", &abort.percentage, 0));
        for (name, percentage, whole) in [delay, abort].into_iter().flatten() {
            let (severity, reason) = match percentage {
                None if whole > 0 => continue,
                None => (Severity::Warning, "no percentage means none; write percentage.value"),
                Some(percentage) if is_none(percentage) => (Severity::Info, "the percentage is 0"),
                Some(_) => continue,
            };
            let message = format!("the {name} reaches nobody: {reason}");
            self.say(findings, severity, FAULT_FOR_NOBODY, &format!("fault.{name}"), message);
        }
    }

    fn mirrors(&self, domain: &str, registry: &Registry, findings: &mut Findings) {
        let rule = self.rule;
        let none = "nothing is mirrored: the percentage is 0";
        let single = match &rule.mirror_percentage {
            Some(percentage) => is_none(percentage),
            None => rule.mirror_percent == Some(0),
        };
        if rule.mirror.is_some() && single {
            self.say(findings, Severity::Info, MIRROR_FOR_NOBODY, "mirror", none.to_owned());
        }
        for (index, mirror) in rule.mirrors.iter().enumerate() {
            if mirror.percentage.as_ref().is_some_and(is_none) {
                self.say(
                    findings,
                    Severity::Info,
                    MIRROR_FOR_NOBODY,
                    &format!("mirrors[{index}]"),
                    none.to_owned(),
                );
            }
        }
        let key = |destination: &Destination| {
            let host = hostname::resolve(&destination.host, &self.object.metadata.namespace, domain);
            let only = registry
                .service(&host)
                .and_then(|service| service.only_port().map(i64::from));
            let port = destination.port.as_ref().map(|port| port.number).or(only);
            (host, destination.subset.clone(), port)
        };
        let shares = rule
            .route
            .iter()
            .filter(|route| rule.route.len() == 1 || route.weight > 0);
        let served: Vec<_> = shares.filter_map(|route| route.destination.as_ref()).map(key).collect();
        for (path, mirror) in reference::mirrors(self.http, rule) {
            if !served.contains(&key(mirror)) {
                continue;
            }
            let whole = served.iter().all(|destination| *destination == key(mirror));
            let (severity, whose) = if whole {
                (Severity::Warning, "every request")
            } else {
                (Severity::Info, "a request that goes there anyway")
            };
            let message =
                format!("{whose} is served twice by the same destination: the mirror is one of the rule's own");
            findings.add(self.object, (severity, MIRROR_TO_ITSELF), path, message);
        }
    }

    fn retries(&self, findings: &mut Findings) {
        let Some(retries) = &self.rule.retries else {
            return;
        };
        let read = |text: &Option<String>| {
            let duration = duration::parse(text.as_deref()?).ok()?;
            (duration > Duration::ZERO).then_some(duration)
        };
        let (Some(timeout), Some(per_try)) = (read(&self.rule.timeout), read(&retries.per_try_timeout)) else {
            return;
        };
        let tries = u32::try_from(retries.attempts).unwrap_or_default().saturating_add(1);
        let written = |text: &Option<String>| text.clone().unwrap_or_default();
        let (whole, each) = (written(&self.rule.timeout), written(&retries.per_try_timeout));
        if retries.attempts > 0 && per_try >= timeout {
            let message =
                format!("a slow try is never retried: its {each} are not over before the rule's timeout of {whole}");
            self.say(
                findings,
                Severity::Warning,
                RETRIES_BEYOND_TIMEOUT,
                "retries.perTryTimeout",
                message,
            );
        } else if retries.attempts > 0 && per_try.saturating_mul(tries) > timeout {
            let fit = timeout.as_millis().div_ceil(per_try.as_millis().max(1));
            let message = format!(
                "{tries} tries of {each} do not fit the rule's timeout of {whole}: if each is slow, {fit} are begun"
            );
            self.say(
                findings,
                Severity::Info,
                RETRIES_BEYOND_TIMEOUT,
                "retries.attempts",
                message,
            );
        }
    }

    fn without_effect(&self, findings: &mut Findings) {
        let rule = self.rule;
        if let [only] = &rule.route[..]
            && !matches!(only.weight, 0 | 100)
        {
            let message = format!(
                "the weight of {} has no effect: a lone destination takes everything",
                only.weight
            );
            self.say(findings, Severity::Info, NO_EFFECT, "route[0].weight", message);
        }
        if rule.redirect.is_none() && rule.direct_response.is_none() {
            return;
        }
        let written = [
            ("timeout", rule.timeout.is_some()),
            ("retries", rule.retries.is_some()),
            ("mirror", rule.mirror.is_some()),
            ("mirrors", !rule.mirrors.is_empty()),
        ];
        for (name, _) in written.iter().filter(|(_, is_written)| *is_written) {
            let message = format!("{name} has no effect: the rule answers by itself, and nothing goes upstream");
            self.say(findings, Severity::Warning, NO_EFFECT, name, message);
        }
    }
}

fn is_none(percentage: &Percent) -> bool {
    percent::fraction(percentage).numerator == 0
}
