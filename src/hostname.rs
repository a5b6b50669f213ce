//! Host names as Istio reads them.

/// The full name of `host` as an object in `namespace` means it: a name without a dot is a service of that namespace, any other is whole.
///
/// `ResolveShortnameToFQDN`, istio `pilot/pkg/model/config.go`.
pub fn resolve(host: &str, namespace: &str, domain: &str) -> String {
    let host = host.to_ascii_lowercase();
    if host == "*" || host.is_empty() || host.contains('.') || host.parse::<std::net::IpAddr>().is_ok() {
        return host;
    }
    [&host, ".", namespace, ".svc.", domain].concat()
}

/// `name` and `namespace` of a Kubernetes service's full name.
pub fn service<'h>(host: &'h str, domain: &str) -> Option<(&'h str, &'h str)> {
    let name = host.strip_suffix(domain)?.strip_suffix(".svc.")?;
    name.split_once('.')
        .filter(|(name, namespace)| !name.is_empty() && !namespace.is_empty() && !namespace.contains('.'))
}

/// The names under which a caller in `namespace` reaches `host`, the full one first.
///
/// `generateVirtualHostDomains`, istio `pilot/pkg/networking/core/httproute.go`.
pub fn domains(host: &str, namespace: &str, domain: &str) -> Vec<String> {
    let mut names = vec![host.to_owned(), [host, "."].concat()];
    if let Some((name, home)) = service(host, domain) {
        if home == namespace {
            names.push(name.to_owned());
        }
        names.push([name, ".", home, ".svc"].concat());
        names.push([name, ".", home].concat());
    }
    names
}

/// The host of an `:authority` without its port: what Envoy's `ignore_port_in_host_matching` leaves.
pub fn without_port(authority: &[u8]) -> &[u8] {
    split_port(authority).0
}

/// An `:authority`'s host, and its port where it has one.
pub fn split_port(authority: &[u8]) -> (&[u8], Option<u16>) {
    let port_of = |at: usize| {
        let (host, port) = (authority.get(..at)?, authority.get(at + 1..)?);
        let port = number(port)?;
        (!host.contains(&b'[') || host.ends_with(b"]")).then_some((host, Some(port)))
    };
    let colon = authority.iter().rposition(|byte| *byte == b':');
    colon.and_then(port_of).unwrap_or((authority, None))
}

/// A port as Envoy reads one: digits, behind a plus sign if need be.
fn number(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(b"+").unwrap_or(text);
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| u16::from(byte - b'0'));
    let read = digits
        .iter()
        .try_fold(0u16, |number, byte| number.checked_mul(10)?.checked_add(digit(byte)?));
    read.filter(|_| !digits.is_empty())
}

/// Whether `pattern` (`*`, `*.foo.com`, `*-x.foo.com` or a name) covers `host`; both in lower case.
pub fn covers(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(suffix) => suffix.is_empty() || host.len() > suffix.len() && host.ends_with(suffix),
        None => pattern == host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_dot_is_a_service_of_the_objects_namespace() {
        assert_eq!(
            resolve("Reviews", "prod", "cluster.local"),
            "reviews.prod.svc.cluster.local"
        );
        assert_eq!(resolve("reviews.prod", "default", "cluster.local"), "reviews.prod");
        assert_eq!(resolve("*", "default", "cluster.local"), "*");
    }

    #[test]
    fn the_bare_name_answers_only_in_its_own_namespace() {
        let host = "reviews.prod.svc.cluster.local";
        assert!(!domains(host, "default", "cluster.local").contains(&"reviews".to_owned()));
        assert!(domains(host, "prod", "cluster.local").contains(&"reviews".to_owned()));
        assert!(domains(host, "default", "cluster.local").contains(&"reviews.prod".to_owned()));
        assert_eq!(
            domains("a.example.com", "default", "cluster.local"),
            ["a.example.com", "a.example.com."]
        );
    }

    #[test]
    fn the_port_of_an_authority_is_not_part_of_its_host() {
        assert_eq!(split_port(b"reviews:9080"), (&b"reviews"[..], Some(9080)));
        assert_eq!(split_port(b"[::1]:80"), (&b"[::1]"[..], Some(80)));
        assert_eq!(split_port(b"[::1]"), (&b"[::1]"[..], None));
        assert_eq!(split_port(b"reviews:"), (&b"reviews:"[..], None));
        assert_eq!(without_port(b"\xff:x"), b"\xff:x");
    }

    #[test]
    fn a_wildcard_stands_for_at_least_one_character() {
        assert!(covers("*.foo.com", "a.foo.com") && covers("*", "x") && covers("*-x.foo.com", "a-x.foo.com"));
        assert!(!covers("*.foo.com", ".foo.com") && !covers("*.foo.com", "foo.com"));
    }
}
