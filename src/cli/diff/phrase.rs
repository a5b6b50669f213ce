//! Effects in words, short enough to be read.

use std::fmt::Write;

use crate::diff::{Change, Effect, End, Side};

/// What another effect changes, a line each; `host` is the one that is spoken of.
pub(super) fn lines(old: &Effect, new: &Effect, host: &str) -> Vec<String> {
    if old.end != new.end {
        return vec![arrow(&summary(old, host), &summary(new, host))];
    }
    let changes = old.changes(new);
    let is_lone = |effect: &Effect| destinations(effect, host).len() == 1;
    let (mut weights, others): (Vec<&Change>, Vec<&Change>) =
        changes.iter().partition(|change| change.what.starts_with("weight "));
    let mut lines = Vec::new();
    if !weights.is_empty() && (is_lone(old) || is_lone(new)) {
        weights.clear();
        let (short_old, short_new) = (summary(old, host), summary(new, host));
        lines.push(match short_old == short_new {
            true => arrow(&summary(old, ""), &summary(new, "")),
            false => arrow(&short_old, &short_new),
        });
    }
    lines.extend(weights.into_iter().chain(others).map(|change| line(change, host)));
    lines
}

/// One changed field.
pub(super) fn line(change: &Change, host: &str) -> String {
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
    format!(
        "{} {}",
        name(&change.what, host),
        arrow(&value(&change.old), &value(&change.new))
    )
}

/// What becomes of what a side takes.
pub(super) fn summary(effect: &Effect, host: &str) -> String {
    let fact = |name: &str| effect.facts.get(name).map(String::as_str).unwrap_or_default();
    match effect.end {
        End::Untouched => match effect.facts.get("default") {
            Some(cluster) => format!("untouched, by default to {}", short(cluster, host)),
            None => "untouched".to_owned(),
        },
        End::HttpsRedirect => "sent to https".to_owned(),
        End::NotFound => "404".to_owned(),
        End::DirectResponse => format!("answered with {}", fact("directResponse.status")),
        End::Redirect => {
            let parts = ["redirect.authority", "redirect.uri", "redirect.prefixRewrite"].map(fact);
            format!("{} to {}", fact("redirect.redirectCode"), parts.concat())
        }
        End::Upstream => match &destinations(effect, host)[..] {
            [(lone, _)] => lone.clone(),
            several => several
                .iter()
                .map(|(name, share)| format!("{name} {share}"))
                .collect::<Vec<_>>()
                .join(", "),
        },
    }
}

/// What takes requests on a side, by its rule or by what becomes of them.
pub(super) fn taker(side: &Side) -> String {
    match (&side.rule, side.effect.end) {
        (Some(rule), _) => {
            let name = if rule.name.is_empty() {
                String::new()
            } else {
                format!(" \"{}\"", rule.name)
            };
            let delegate = rule
                .delegate
                .as_ref()
                .map(|(object, http)| format!(" by {object} http[{http}]"));
            format!(
                "{} {}{}{name}",
                rule.virtual_service,
                rule.path(),
                delegate.unwrap_or_default()
            )
        }
        (None, End::NotFound) => "no rule".to_owned(),
        (None, End::HttpsRedirect) => "the Gateway's redirect to https".to_owned(),
        (None, _) => "no VirtualService".to_owned(),
    }
}

fn destinations(effect: &Effect, host: &str) -> Vec<(String, String)> {
    let weights = effect
        .facts
        .iter()
        .filter_map(|(name, share)| Some((name.strip_prefix("weight ")?, share)));
    weights
        .map(|(name, share)| (short(name, host), share.clone()))
        .collect()
}

fn arrow(old: &str, new: &str) -> String {
    format!("{old} → {new}")
}

/// A field's name, with the destination in it as short as it can be.
fn name(what: &str, host: &str) -> String {
    let words: Vec<String> = what.split(' ').map(|word| short(word, host)).collect();
    words.join(" ")
}

/// A cluster by its subset where the host is the one that is spoken of, else with its host; any other word as it is.
fn short(word: &str, host: &str) -> String {
    let mut parts = word.splitn(4, '|');
    let (Some("outbound"), Some(port), Some(subset), Some(own)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return word.to_owned();
    };
    let name = match own.split_once(".svc.") {
        Some((name, _)) if !host.is_empty() => name,
        _ => own,
    };
    match (subset.is_empty(), own == host) {
        (false, true) => subset.to_owned(),
        (true, _) => format!("{name}:{port}"),
        (false, false) => format!("{name}:{port} {subset}"),
    }
}

/// A request as one would ask `explain` about it.
pub(super) fn request(method: &str, url: &str, headers: &[(String, String)]) -> String {
    let mut line = format!("{method} {url}");
    for (name, value) in headers {
        let _ = write!(line, " -H '{name}: {value}'");
    }
    line
}

/// `1 thing`, `2 things`.
pub(super) fn counted(count: u64, one: &str, several: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{count} {several}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_as_short_as_it_can_be() {
        let host = "reviews.default.svc.cluster.local";
        let v1 = "outbound|9080|v1|reviews.default.svc.cluster.local";
        assert_eq!(name(&format!("weight {v1}"), host), "weight v1");
        assert_eq!(
            short(v1, "ratings.default.svc.cluster.local"),
            "reviews.default:9080 v1"
        );
        assert_eq!(short("outbound|80||a.com", "a.com"), "a.com:80");
        assert_eq!(short(v1, ""), "reviews.default.svc.cluster.local:9080 v1");
    }
}
