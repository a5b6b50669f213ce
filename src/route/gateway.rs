//! Hosts at a gateway: all VirtualServices of a host together, for the servers that listen there.
//!
//! `buildGatewayHTTPRouteConfig`, istio `pilot/pkg/networking/core/gateway.go`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::Config;
use crate::hostname;

use super::rule::{Compiled, Listener, gateway_name};
use super::{Routes, VirtualHost};

/// A server's host, as one of the proxy's gateways has it at the listener's port.
struct Server<'a> {
    gateway: String,
    /// The namespace whose VirtualServices it takes, `*` for any.
    from: &'a str,
    host: String,
    https_redirect: bool,
}

/// The hosts that both a server and a VirtualService have. Without Gateway objects every host of a VirtualService is served.
pub(super) fn hosts(config: &Config, listener: &Listener, visible: &[&Compiled]) -> Vec<VirtualHost> {
    let servers = servers(config, listener);
    let mut hosts: BTreeMap<String, (Vec<Arc<Routes>>, bool)> = BTreeMap::new();
    for compiled in visible {
        let object = compiled.virtual_service.object;
        let namespace = object.metadata.namespace.as_str();
        for host in &object.spec.hosts {
            let host = hostname::resolve(host, namespace, &listener.proxy.domain);
            let named = object
                .spec
                .gateways
                .iter()
                .filter(|gateway| listener.serves(gateway, namespace));
            for name in named.map(|gateway| gateway_name(gateway, namespace)) {
                let mut matching: Vec<(String, bool)> = servers
                    .iter()
                    .filter(|server| server.gateway == name && (server.from == "*" || server.from == namespace))
                    .filter_map(|server| Some((intersection(&server.host, &host)?, server.https_redirect)))
                    .collect();
                let declared = config.resources.gateways.iter();
                if !declared
                    .into_iter()
                    .any(|gateway| name == format!("{}/{}", gateway.metadata.namespace, gateway.metadata.name))
                {
                    matching.push((host.clone(), false));
                }
                for (host, https_redirect) in matching {
                    let entry = hosts.entry(host).or_default();
                    entry.0.extend(compiled.routes.clone());
                    entry.1 |= https_redirect;
                }
            }
        }
    }
    for server in servers.iter().filter(|server| server.https_redirect) {
        hosts.entry(server.host.clone()).or_default().1 = true;
    }
    let host = |(host, (routes, https_redirect)): (String, _)| VirtualHost {
        name: host.into(),
        routes: merged(routes),
        default_cluster: None,
        https_redirect,
    };
    hosts.into_iter().map(host).collect()
}

/// The routes of several VirtualServices. What takes everything stands last, whoever wrote it; in those of one it does.
fn merged(mut routes: Vec<Arc<Routes>>) -> Option<Arc<Routes>> {
    routes.dedup_by(|a, b| Arc::ptr_eq(a, b));
    if routes.len() < 2 {
        return routes.pop();
    }
    let all = routes.iter().flat_map(|routes| routes.iter().cloned());
    let (last, mut routes): (Vec<_>, Vec<_>) = all.partition(|route| route.matches.is_catch_all());
    routes.extend(last);
    Some(Arc::new(Routes::new(routes)))
}

fn servers<'a>(config: &'a Config, listener: &Listener) -> Vec<Server<'a>> {
    let mut servers = Vec::new();
    for gateway in &config.resources.gateways {
        let namespace = gateway.metadata.namespace.as_str();
        let name = format!("{namespace}/{}", gateway.metadata.name);
        if !listener.serves(&name, namespace) {
            continue;
        }
        for server in &gateway.spec.servers {
            let port = server.port.as_ref().map_or(0, |port| port.number);
            if listener.port.is_some_and(|own| i64::from(own) != port) {
                continue;
            }
            for host in &server.hosts {
                let (from, host) = host.split_once('/').unwrap_or(("*", host));
                servers.push(Server {
                    gateway: name.clone(),
                    from: if from == "." { namespace } else { from },
                    host: hostname::resolve(host, namespace, &listener.proxy.domain),
                    https_redirect: server.tls.as_ref().is_some_and(|tls| tls.https_redirect),
                });
            }
        }
    }
    servers
}

/// The narrower of two hosts, if one covers the other.
pub(crate) fn intersection(a: &str, b: &str) -> Option<String> {
    if hostname::covers(a, b) || a == b {
        return Some(b.to_owned());
    }
    hostname::covers(b, a).then(|| a.to_owned())
}

#[cfg(test)]
mod tests {
    use crate::plugin::Plugin;

    #[test]
    fn what_takes_everything_stands_last_whoever_wrote_it() {
        let virtual_service = |name: &str, year: u16, rules: &str| {
            format!(
                r#"{{"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
                    "metadata": {{"name": "{name}", "creationTimestamp": "{year}-01-01T00:00:00Z"}},
                    "spec": {{"hosts": ["h"], "gateways": ["g"], "http": [{rules}]}}}}"#
            )
        };
        let rule = |r#match: &str| format!(r#"{{{match}"route": [{{"destination": {{"host": "h"}}}}]}}"#);
        let on = |path: &str| rule(&format!(r#""match": [{{"uri": {{"prefix": "{path}"}}}}], "#));
        let old = virtual_service("old", 2020, &[on("/a"), rule("")].join(", "));
        let young = virtual_service("young", 2021, &[on("/b"), rule("")].join(", "));
        let json = format!(r#"{{"proxy": {{"gateways": ["default/g"]}}, "resources": [{young}, {old}]}}"#);
        let table = Plugin::load(json.as_bytes()).unwrap().table;
        let routes = table.virtual_hosts[0].routes.as_ref().unwrap();
        let written: Vec<String> = routes.iter().map(|route| route.rule.to_string()).collect();
        assert_eq!(
            written,
            [
                "default/old http[0].match[0]",
                "default/young http[0].match[0]",
                "default/old http[1]",
                "default/young http[1]"
            ]
        );
    }
}
