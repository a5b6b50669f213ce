//! Names: of hosts, namespaces, labels.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::At;

/// A label of DNS, in either case: letters, digits and dashes, at most 63, with no dash at an end.
pub(super) fn is_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    text.len() <= 63 && text.bytes().all(inner) && edge(text.bytes().next()) && edge(text.bytes().last())
}

/// A label of DNS, or `*`, or `*` with a label behind it.
fn is_wildcard_label(text: &str) -> bool {
    let Some(named) = text.strip_prefix('*') else {
        return is_label(text);
    };
    text == "*" || text.len() <= 63 && is_label(named.strip_prefix('-').unwrap_or(named))
}

pub(super) fn is_address(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}

/// What is wrong with a host's name. Its first label may be a wildcard where `wildcard` is set.
pub(super) fn host(name: &str, wildcard: bool) -> Result<(), String> {
    if name.is_empty() {
        return Err("is missing; write a host's name".to_owned());
    }
    if name.len() > 255 {
        return Err(format!("has {} bytes; a host's name may have 255", name.len()));
    }
    match name.split_once('.') {
        _ if !wildcard => labels_of(name, name),
        Some((first, _)) if !is_wildcard_label(first) => Err(bad_label(name, first)),
        Some((_, rest)) => labels_of(name, rest),
        None if !is_wildcard_label(name) => Err(bad_label(name, name)),
        None => Ok(()),
    }
}

fn labels_of(name: &str, labels: &str) -> Result<(), String> {
    let last = labels.rsplit('.').next().unwrap_or_default();
    if last.parse::<i64>().is_ok() {
        return Err(format!("`{name}` is no host's name: its last label is a number"));
    }
    let labels = labels.strip_suffix('.').unwrap_or(labels);
    let bad = labels.split('.').find(|label| !is_label(label));
    bad.map_or(Ok(()), |label| Err(bad_label(name, label)))
}

fn bad_label(name: &str, label: &str) -> String {
    format!(
        "`{name}` is no host's name: `{label}` is not letters, digits and dashes, and only the first label may begin with `*`"
    )
}

/// A host's name that may begin with a wildcard.
pub(super) fn wildcard_host(at: &At, name: &str) {
    if let Err(message) = host(name, true) {
        at.error(message);
    }
}

/// Names of gateways. Istio stops at the first that has no namespace, which is what `mesh` is; so do we, and take what it takes.
pub(super) fn gateways(at: &At, names: &[String]) {
    for (at, name) in at.each("gateways", names) {
        let Some((namespace, gateway)) = name.split_once('/') else {
            if let Some((gateway, namespace)) = name.split_once('.') {
                let namespace = namespace.split('.').next().unwrap_or_default();
                at.warn(format!("`{name}` is the old spelling; write {namespace}/{gateway}"));
            }
            if host(name, false).is_err() {
                at.error(format!("`{name}` is no gateway's name; write namespace/name or name"));
            }
            return;
        };
        if !is_label(namespace) {
            at.error(format!("`{namespace}` is no namespace; write namespace/name or name"));
        }
        if !is_label(gateway) {
            at.error(format!(
                "`{gateway}` is no gateway's name; write namespace/name or name"
            ));
        }
    }
}

/// Labels of workloads, as Kubernetes takes them.
pub(super) fn labels(at: &At, labels: &BTreeMap<String, String>) {
    for (key, value) in labels {
        let (prefix, name) = key
            .split_once('/')
            .map_or((None, key.as_str()), |(prefix, name)| (Some(prefix), name));
        let prefix_fits = prefix.is_none_or(|prefix| prefix.len() <= 253 && prefix.split('.').all(is_label));
        if !prefix_fits || !is_qualified(name) || name.len() > 63 {
            at.field(key).error(format!(
                "`{key}` is no label's name: it has to be letters, digits, `-`, `_` and `.`, with a letter or digit at both ends"
            ));
        }
        if !value.is_empty() && !is_qualified(value) {
            at.field(key).error(format!(
                "`{value}` is no label's value: it has to be letters, digits, `-`, `_` and `.`, with a letter or digit at both ends"
            ));
        }
    }
}

fn is_qualified(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    text.bytes().all(inner) && edge(text.bytes().next()) && edge(text.bytes().last())
}

/// Whether some name is covered by both.
///
/// `Name.Matches`, istio `pkg/config/host/name.go`.
pub(super) fn overlap(one: &str, other: &str) -> bool {
    match (one.strip_prefix('*'), other.strip_prefix('*')) {
        (Some(one), Some(other)) => one.ends_with(other) || other.ends_with(one),
        (Some(suffix), None) => other.ends_with(suffix),
        (None, Some(suffix)) => one.ends_with(suffix),
        (None, None) => one == other,
    }
}

/// Whether all names that `one` covers are covered by `other`.
///
/// `Name.SubsetOf`, istio `pkg/config/host/name.go`.
pub(super) fn is_within(one: &str, other: &str) -> bool {
    match (one.strip_prefix('*'), other.strip_prefix('*')) {
        (Some(one), Some(other)) => one.ends_with(other),
        (Some(_), None) => false,
        (None, Some(suffix)) => one.ends_with(suffix),
        (None, None) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_begins_the_first_label_or_is_it() {
        for name in [
            "*",
            "*.foo.com",
            "*-x.foo.com",
            "*x.foo.com",
            "foo.com",
            "foo",
            "Foo-1",
            "foo.com.",
        ] {
            assert_eq!(host(name, true), Ok(()), "{name}");
        }
        for name in [
            "",
            "a*.foo.com",
            "foo.*.com",
            "*.*.com",
            "foo..com",
            "-a.com",
            "a_b",
            "10.0.0.1",
            "*--",
        ] {
            assert!(host(name, true).is_err(), "{name}");
        }
        assert!(host("*.foo.com", false).is_err());
        assert!(host(&"a.".repeat(128), true).is_err());
    }

    #[test]
    fn hosts_overlap_where_one_name_is_in_both() {
        assert!(overlap("*.foo.bar", "*.bar") && overlap("*.bar", "*.foo.bar"));
        assert!(overlap("*", "a") && overlap("a.foo", "*.foo") && overlap("a", "a"));
        assert!(!overlap("*.foo.com", "foo.com") && !overlap("*.a", "*.b"));
        assert!(is_within("a.foo.com", "*.foo.com") && !is_within("*.foo.com", "a.foo.com"));
    }
}
