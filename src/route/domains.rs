//! Which names a listener's hosts answer to.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;

use crate::config::Proxy;
use crate::hostname;

/// The names that most hosts have.
const NAMES: usize = 5;

/// Hosts by their names, without ports and in lower case.
#[derive(Debug, Default, PartialEq)]
pub struct Domains {
    /// The hosts in full, in order.
    hosts: Box<[Arc<str>]>,
    /// A caller's namespace, and the cluster's domain, where services go by short names too.
    short: Option<[Box<str>; 2]>,
    exact: HashMap<Box<[u8]>, usize>,
    /// What follows the `*`, longest first.
    suffixes: BTreeMap<Reverse<usize>, HashMap<Box<[u8]>, usize>>,
}

impl Domains {
    /// The names of these hosts: their own, and those under which a sidecar's workload reaches them. The first host that asks for a name has
    /// it. What the same hosts came to before is taken from there.
    pub(super) fn new(hosts: Vec<Arc<str>>, sidecar: Option<&Proxy>, before: &[Arc<Domains>]) -> Arc<Self> {
        let short = sidecar.map(|proxy| [proxy.namespace.as_str().into(), proxy.domain.as_str().into()]);
        let is_same = |before: &&Arc<Domains>| before.short == short && *before.hosts == *hosts;
        if let Some(before) = before.iter().find(is_same) {
            return Arc::clone(before);
        }
        let mut domains = Domains {
            exact: HashMap::with_capacity(hosts.len() * if short.is_some() { NAMES } else { 1 }),
            ..Domains::default()
        };
        for (index, host) in hosts.iter().enumerate() {
            match &short {
                Some([namespace, domain]) if !host.starts_with('*') => {
                    let names = hostname::domains(host, namespace, domain);
                    names.iter().for_each(|name| domains.name(name, index));
                }
                _ => domains.name(host, index),
            }
        }
        Arc::new(Domains {
            hosts: hosts.into(),
            short,
            ..domains
        })
    }

    fn name(&mut self, domain: &str, index: usize) {
        let (names, name) = match domain.strip_prefix('*') {
            Some(suffix) => (self.suffixes.entry(Reverse(suffix.len())).or_default(), suffix),
            None => (&mut self.exact, domain),
        };
        names.entry_ref(name.as_bytes()).or_insert(index);
    }

    /// The position of the host that answers to a name in lower case: an exact one before the longest wildcard.
    pub(super) fn find(&self, name: &[u8]) -> Option<usize> {
        if let Some(index) = self.exact.get(name) {
            return Some(*index);
        }
        let wildcard = |(Reverse(length), hosts): (&Reverse<usize>, &HashMap<Box<[u8]>, usize>)| {
            let suffix = name
                .len()
                .checked_sub(*length)
                .filter(|rest| *rest > 0 || *length == 0)?;
            hosts.get(name.get(suffix..)?).copied()
        };
        self.suffixes.iter().find_map(wildcard)
    }

    /// The names of each host; a wildcard's with its `*`.
    pub(super) fn by_host(&self) -> Vec<Vec<String>> {
        let mut domains = vec![Vec::new(); self.hosts.len()];
        let exact = self.exact.iter().map(|name| ("", name));
        let suffixes = self.suffixes.values().flatten().map(|name| ("*", name));
        for (star, (name, index)) in exact.chain(suffixes) {
            if let Some(names) = domains.get_mut(*index) {
                names.push(format!("{star}{}", String::from_utf8_lossy(name)));
            }
        }
        domains.iter_mut().for_each(|names| names.sort());
        domains
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host_of(hosts: &[&str], name: &str) -> Option<String> {
        let hosts = hosts.iter().map(|host| Arc::from(*host)).collect();
        let domains = Domains::new(hosts, None, &[]);
        domains
            .find(name.as_bytes())
            .map(|index| domains.hosts[index].to_string())
    }

    #[test]
    fn an_exact_host_wins_over_the_longest_wildcard() {
        let hosts = ["*", "*.foo.com", "*.a.foo.com", "x.a.foo.com"];
        assert_eq!(host_of(&hosts, "x.a.foo.com").as_deref(), Some("x.a.foo.com"));
        assert_eq!(host_of(&hosts, "y.a.foo.com").as_deref(), Some("*.a.foo.com"));
        assert_eq!(host_of(&hosts, "z.foo.com").as_deref(), Some("*.foo.com"));
        assert_eq!(host_of(&hosts, "foo.com").as_deref(), Some("*"));
        assert_eq!(host_of(&hosts[1..], ".foo.com"), None);
    }

    #[test]
    fn the_same_hosts_share_their_names() {
        let proxy = |namespace: &str| Proxy {
            namespace: namespace.to_owned(),
            ..Proxy::default()
        };
        let (here, there) = (proxy("default"), proxy("n"));
        let of =
            |hosts: [&str; 2], proxy, before: &[Arc<Domains>]| Domains::new(hosts.map(Arc::from).into(), proxy, before);
        let before = of(["a.default.svc.cluster.local", "*"], Some(&here), &[]);
        let again = |hosts, proxy| Arc::ptr_eq(&before, &of(hosts, proxy, std::slice::from_ref(&before)));
        assert!(again(["a.default.svc.cluster.local", "*"], Some(&here)));
        assert!(!again(["*", "a.default.svc.cluster.local"], Some(&here)));
        assert!(!again(["a.default.svc.cluster.local", "*"], Some(&there)));
        assert!(!again(["a.default.svc.cluster.local", "*"], None));
        assert_eq!(before.find(b"a"), Some(0));
    }
}
