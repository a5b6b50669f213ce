//! From one configuration to the next.

use super::Plugin;
use super::kept::Kept;
use crate::config::Config;
use crate::finding::{Finding, refuses};
use crate::matcher::Regexes;
use crate::registry::Registry;
use crate::route::RouteTable;
use crate::validate::validate_with;

/// What one configuration leaves for the next one that is loaded in the same place. It makes loading faster and nothing else: nothing of it
/// shows in what is loaded.
#[derive(Debug, Default)]
pub struct Cache {
    regexes: Regexes,
    kept: Kept,
}

impl Cache {
    /// As [`Plugin::load`]. What `is_judged` was found to be without error before, and is not looked at again; nor is it said again what
    /// was to be said of it. The text's memory is free for what is made of it.
    pub fn load(&mut self, json: Vec<u8>, is_judged: bool) -> Result<Plugin, Vec<Finding>> {
        let tree = Config::parse(&json)?;
        let (mut config, mut findings) = Config::without_resources(&tree);
        let before = std::mem::take(&mut self.kept);
        let before = if is_judged { before } else { Kept::default() };
        config.resources.is_for_routes = is_judged;
        let (texts, known) = before.read(&tree, &mut config.resources, &mut findings);
        drop(tree);
        drop(json);
        let memory = usize::try_from(config.options.max_regex_bytes).unwrap_or_default();
        self.regexes.renew(memory);
        if !is_judged {
            findings.extend(validate_with(&config, &mut self.regexes));
        }
        if refuses(&findings) {
            return Err(findings);
        }
        config.resources.leave_out_clusters();
        let registry = Registry::new(&config);
        let (table, routes, invalid) = RouteTable::compile_rest(&config, &registry, &known, &mut self.regexes);
        findings.extend(invalid);
        self.kept = Kept::new(texts, config.resources, &routes);
        let mut options = config.options;
        let explain_header = options.explain_header.iter_mut();
        explain_header.for_each(|name| name.make_ascii_lowercase());
        let proxy = &config.proxy;
        Ok(Plugin {
            options,
            listens_for_all_ports: proxy.port.is_none() && proxy.gateways.iter().any(|gateway| gateway == "mesh"),
            table,
            generation: config.generation,
            findings,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const JSON: &str = r#"{"resources": [{"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "a"},
        "spec": {"hosts": ["a"], "http": [
            {"match": [{"uri": {"regex": "/a+"}}, {"uri": {"regex": "/a+"}}], "route": [{"destination": {"host": "a"}}]},
            {"route": [{"destination": {"host": "b"}}]}]}}]}"#;

    #[test]
    fn a_judged_configuration_is_loaded_alike_and_not_judged_again() {
        let judged = Cache::default().load(JSON.into(), true).unwrap();
        let mut fresh = Plugin::load(JSON.as_bytes()).unwrap();
        assert_eq!((fresh.findings.len(), judged.findings.len()), (1, 0));
        fresh.findings.clear();
        assert_eq!(judged, fresh);
    }

    #[test]
    fn nothing_of_what_was_loaded_before_shows() {
        let mut cache = Cache::default();
        let others = JSON.replace("/a+", "/b+");
        for json in [JSON, &others, "{}", JSON, JSON] {
            assert_eq!(cache.load(json.into(), false), Plugin::load(json.as_bytes()));
        }
        assert!(cache.load(b"{".into(), false).is_err());
        assert_eq!(cache.load(JSON.into(), false), Plugin::load(JSON.as_bytes()));
    }

    fn object(kind: &str, name: &str, spec: &str) -> String {
        format!(
            r#"{{"apiVersion": "networking.istio.io/v1", "kind": "{kind}", "metadata": {{"name": "{name}"}}, "spec": {{{spec}}}}}"#
        )
    }

    /// A VirtualService of two hosts with these rules, one that delegates to another, and a policy that rules depend on.
    fn rules(names: &[&str], leaf: &str, policy: &str, port: u16) -> String {
        let rule = |name: &&str| {
            format!(
                r#"{{"name": "{name}", "match": [{{"uri": {{"prefix": "/{name}"}}}}, {{"headers": {{"h": {{"exact": "{name}"}}}}}}],
                    "route": [{{"destination": {{"host": "a"}}}}]}}"#
            )
        };
        let rules: Vec<String> = names.iter().map(rule).collect();
        let root = format!(
            r#""hosts": ["a", "b"], "http": [{}, {{"name": "root", "match": [{{"uri": {{"prefix": "/leaf"}}}}], "delegate": {{"name": "leaf"}}}}]"#,
            rules.join(", ")
        );
        let leaf = format!(r#""http": [{{"route": [{{"destination": {{"host": "{leaf}"}}}}]}}]"#);
        let policy = format!(r#""host": "a", "trafficPolicy": {{"loadBalancer": {policy}}}"#);
        let objects = [
            object("VirtualService", "root", &root),
            object("VirtualService", "leaf", &leaf),
            object("DestinationRule", "a", &policy),
        ];
        format!(
            r#"{{"proxy": {{"port": {port}}}, "resources": [{}]}}"#,
            objects.join(", ")
        )
    }

    #[test]
    fn a_judged_change_comes_out_as_if_it_were_all_new() {
        let hash = r#"{"consistentHash": {"httpHeaderName": "h"}}"#;
        let simple = r#"{"simple": "RANDOM"}"#;
        let mut cache = Cache::default();
        for json in [
            rules(&["x", "y", "z"], "a", simple, 80),
            rules(&["x", "y", "z"], "b", simple, 80),
            rules(&["x", "q", "z"], "b", simple, 80),
            rules(&["p", "x", "q", "z"], "b", simple, 80),
            rules(&["z", "q"], "b", simple, 80),
            rules(&["z", "q"], "b", hash, 80),
            rules(&["z", "z", "q"], "b", hash, 80),
            rules(&["z", "z", "q"], "b", hash, 81),
        ] {
            let mut fresh = Plugin::load(json.as_bytes()).unwrap();
            fresh.findings.clear();
            assert_eq!(cache.load(json.clone().into(), true).unwrap(), fresh, "{json}");
        }
    }

    /// VirtualServices, services, and the policies that their routes depend on, in this order and under these names.
    fn services(order: &[usize], subset: &str, hashed: &str) -> String {
        let objects = |number: &usize| {
            let kinds = [
                (
                    "VirtualService",
                    format!(
                        r#""hosts": ["h{number}"], "http": [{{"match": [{{"port": 80}}], "route": [{{"destination": {{"host": "h{number}", "subset": "{subset}", "port": {{"number": 80}}}}}}]}}]"#
                    ),
                ),
                (
                    "DestinationRule",
                    format!(
                        r#""host": "h{number}", "subsets": [{{"name": "v1", "labels": {{"v": "1"}}, "trafficPolicy": {{"portLevelSettings": [
                    {{"port": {{"number": 80}}, "loadBalancer": {{"consistentHash": {{"httpHeaderName": "{hashed}"}}}}}}]}}}}, {{"name": "v2", "labels": {{"v": "2"}}}}]"#
                    ),
                ),
                (
                    "ServiceEntry",
                    format!(
                        r#""hosts": ["h{number}.default.svc.cluster.local"], "location": "MESH_INTERNAL", "resolution": "STATIC",
                    "ports": [{{"number": 80, "name": "http", "protocol": "HTTP"}}], "endpoints": [{{"address": "10.0.0.{number}"}}]"#
                    ),
                ),
            ];
            kinds.map(|(kind, spec)| object(kind, &format!("h{number}"), &spec))
        };
        let objects: Vec<String> = order.iter().flat_map(objects).collect();
        objects.join(", ")
    }

    #[test]
    fn what_is_hashed_stays_of_a_policy() {
        let hash = r#""loadBalancer": {"consistentHash": {"httpHeaderName": "x"}}"#;
        let at_port = format!(r#""portLevelSettings": [{{"port": {{"number": 80}}, {hash}}}]"#);
        for (policy, of_subset) in [(hash, ""), (&at_port, ""), ("", hash), ("", &at_port)] {
            let policies = format!(
                r#""host": "a", "trafficPolicy": {{{policy}}}, "subsets": [{{"name": "v1", "labels": {{"v": "1"}}, "trafficPolicy": {{{of_subset}}}}}]"#
            );
            let route = r#""hosts": ["a"], "http": [{"route": [{"destination": {"host": "a", "subset": "v1", "port": {"number": 80}}}]}]"#;
            let objects = [
                object("DestinationRule", "a", &policies),
                object("VirtualService", "a", route),
            ];
            let json = format!(r#"{{"proxy": {{"port": 80}}, "resources": [{}]}}"#, objects.join(", "));
            let plugin = Cache::default().load(json.into(), true).unwrap();
            let routes = plugin.table.virtual_hosts[0].routes.as_ref().unwrap();
            assert_eq!(routes[0].action.forward().unwrap().hash.len(), 1, "{policies}");
        }
    }

    #[test]
    fn objects_that_come_go_and_move_leave_no_trace() {
        let mut cache = Cache::default();
        let list = |items: &str| format!(r#"{{"kind": "List", "items": [{items}]}}"#);
        for resources in [
            services(&[1, 2, 3], "v1", "x"),
            services(&[1, 2, 3], "v2", "x"),
            services(&[3, 1], "v2", "x"),
            services(&[3, 1], "v1", "y"),
            services(&[3, 3, 1, 2], "v1", "y"),
            list(&services(&[3, 1], "v1", "y")),
            format!("{}, {}", list(&services(&[2], "v1", "y")), services(&[3, 1], "v1", "y")),
            format!(r#"{{"kind": "Secret"}}, {}"#, services(&[3, 1], "v1", "y")),
            "5, []".to_owned(),
        ] {
            let json = format!(r#"{{"proxy": {{"port": 80}}, "resources": [{resources}]}}"#);
            let fresh = Plugin::load(json.as_bytes()).map(|plugin| plugin.table);
            let again = cache.load(json.clone().into(), true).map(|plugin| plugin.table);
            assert_eq!(again, fresh, "{json}");
        }
    }

    #[test]
    fn a_virtual_service_that_did_not_change_keeps_its_routes() {
        let mut cache = Cache::default();
        let mut load = |subset: &str| {
            let [same, other] = [services(&[1], "v1", "x"), services(&[2], subset, "x")];
            let json = format!(r#"{{"proxy": {{"port": 80}}, "resources": [{same}, {other}]}}"#);
            cache.load(json.clone().into(), true).unwrap().table.virtual_hosts
        };
        let (before, after) = (load("v1"), load("v2"));
        let routes = before
            .iter()
            .zip(&after)
            .map(|(a, b)| (a.routes.as_ref(), b.routes.as_ref()));
        let same = routes.map(|(a, b)| Arc::ptr_eq(a.unwrap(), b.unwrap()));
        assert_eq!(same.collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn a_rule_that_did_not_change_is_not_compiled_again() {
        let simple = r#"{"simple": "RANDOM"}"#;
        let mut cache = Cache::default();
        let mut load = |names: &[&str]| cache.load(rules(names, "a", simple, 80).into(), true).unwrap();
        let routes = |plugin: &Plugin| {
            plugin
                .table
                .virtual_hosts
                .first()
                .and_then(|host| host.routes.clone())
                .unwrap()
        };
        let before = load(&["x", "y"]);
        let after = load(&["x", "z", "y"]);
        let (before, after) = (routes(&before), routes(&after));
        assert!(Arc::ptr_eq(&before[0], &after[0]) && Arc::ptr_eq(&before[1], &after[1]));
        assert!(Arc::ptr_eq(&before[2].action, &after[4].action));
        assert_eq!(after[4].rule.http, 2);
    }
}
