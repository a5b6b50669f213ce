use std::ops::Range;
use std::sync::Arc;

use super::*;
use crate::route::{Route, Routes};

const JSON: &str = r#"{"resources": [{"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "a"},
    "spec": {"hosts": ["a"], "http": [
        {"match": [{"uri": {"regex": "/a+"}}, {"uri": {"regex": "/a+"}}], "route": [{"destination": {"host": "a"}}]},
        {"route": [{"destination": {"host": "b"}}]}]}}]}"#;

const SIMPLE: &str = r#"{"simple": "RANDOM"}"#;

/// Loads one configuration after the other, each while the one before it is in use.
#[derive(Default)]
struct Filter {
    cache: Cache,
    in_use: Plugin,
}

impl Filter {
    fn load(&mut self, json: &str, is_judged: bool) -> Result<Plugin, Vec<Finding>> {
        self.in_use = self.cache.load(json.into(), |_| is_judged)?;
        Ok(self.in_use.clone())
    }

    /// The routes of the first host.
    fn routes(&mut self, json: &str) -> Arc<Routes> {
        let plugin = self.load(json, true).unwrap();
        plugin.table.virtual_hosts[0].routes.clone().unwrap()
    }
}

#[test]
fn a_judged_configuration_is_loaded_alike_and_not_judged_again() {
    let judged = Cache::default().load(JSON.into(), |_| true).unwrap();
    let mut fresh = Plugin::load(JSON.as_bytes()).unwrap();
    assert_eq!((fresh.findings.len(), judged.findings.len()), (1, 0));
    fresh.findings.clear();
    assert_eq!(judged, fresh);
}

#[test]
fn nothing_of_what_was_loaded_before_shows() {
    let mut filter = Filter::default();
    let others = JSON.replace("/a+", "/b+");
    for json in [JSON, &others, "{}", JSON, JSON, "{", JSON] {
        assert_eq!(filter.load(json, false), Plugin::load(json.as_bytes()));
    }
}

fn object(kind: &str, name: &str, spec: &str) -> String {
    format!(
        r#"{{"apiVersion": "networking.istio.io/v1", "kind": "{kind}", "metadata": {{"name": "{name}"}}, "spec": {{{spec}}}}}"#
    )
}

const DELEGATES: &str = r#", {"name": "root", "match": [{"uri": {"prefix": "/leaf"}}], "delegate": {"name": "leaf"}}"#;

/// A VirtualService of two hosts with these rules, one that delegates to another, and a policy that rules depend on.
fn rules(names: &[&str], leaf: &str, policy: &str, port: u16) -> String {
    let rule = |name: &&str| {
        format!(
            r#"{{"name": "{name}", "match": [{{"uri": {{"prefix": "/{name}"}}}}, {{"headers": {{"h": {{"exact": "{name}"}}}}}}],
                "route": [{{"destination": {{"host": "a"}}}}]}}"#
        )
    };
    let rules: Vec<String> = names.iter().map(rule).collect();
    let root = format!(r#""hosts": ["a", "b"], "http": [{}{DELEGATES}]"#, rules.join(", "));
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
    let mut filter = Filter::default();
    let base = rules(&["x"], "a", SIMPLE, 80);
    for json in [
        base.clone(),
        base.replace(r#"{"name": "root"}"#, r#"{"name": "stem"}"#),
        base.replace(r#"{"name": "root"}"#, r#"{"name": "stem", "namespace": "n"}"#),
        base.replace(r#""hosts": ["a", "b"]"#, r#""hosts": ["b", "c"]"#),
        base.replace(r#""hosts": ["a", "b"]"#, r#""exportTo": ["n"], "hosts": ["b", "c"]"#),
        rules(&["x", "y", "z"], "a", SIMPLE, 80),
        rules(&["x", "y", "z"], "b", SIMPLE, 80),
        rules(&["x", "q", "z"], "b", SIMPLE, 80),
        rules(&["p", "x", "q", "z"], "b", SIMPLE, 80),
        rules(&["z", "q"], "b", SIMPLE, 80),
        rules(&["z", "q"], "b", hash, 80),
        rules(&["z", "z", "q"], "b", hash, 80),
        rules(&["z", "z", "q"], "b", hash, 81),
        // No rule but the last differs.
        rules(&["x", "y"], "a", SIMPLE, 80).replace(DELEGATES, ""),
        rules(&["x", "y", "z"], "a", SIMPLE, 80).replace(DELEGATES, ""),
        rules(&["x", "y"], "a", SIMPLE, 80).replace(DELEGATES, ""),
    ] {
        let mut fresh = Plugin::load(json.as_bytes()).unwrap();
        fresh.findings.clear();
        assert_eq!(filter.load(&json, true).unwrap(), fresh, "{json}");
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
        let plugin = Cache::default().load(json.into(), |_| true).unwrap();
        let routes = plugin.table.virtual_hosts[0].routes.as_ref().unwrap();
        assert_eq!(routes[0].action.forward().unwrap().hash.len(), 1, "{policies}");
    }
}

#[test]
fn objects_that_come_go_and_move_leave_no_trace() {
    let mut filter = Filter::default();
    let list = |items: &str| format!(r#"{{"kind": "List", "items": [{items}]}}"#);
    for resources in [
        services(&[1, 2, 3], "v1", "x"),
        services(&[1, 2, 3], "v2", "x"),
        services(&[1, 2, 3], "v2", "x").replace("h1.default.svc", "h9.default.svc"),
        services(&[3, 1], "v2", "x"),
        services(&[3, 1], "v1", "y"),
        services(&[3, 3, 1, 2], "v1", "y"),
        services(&[1, 3], "v1", "y"),
        services(&[3, 2, 1], "v1", "y"),
        list(&services(&[3, 1], "v1", "y")),
        format!("{}, {}", list(&services(&[2], "v1", "y")), services(&[3, 1], "v1", "y")),
        format!(r#"{{"kind": "Secret"}}, {}"#, services(&[3, 1], "v1", "y")),
        "5, []".to_owned(),
    ] {
        let json = format!(r#"{{"proxy": {{"port": 80}}, "resources": [{resources}]}}"#);
        let fresh = Plugin::load(json.as_bytes()).map(|plugin| plugin.table);
        let again = filter.load(&json, true).map(|plugin| plugin.table);
        assert_eq!(again, fresh, "{json}");
    }
}

#[test]
fn services_are_read_again_under_another_domain() {
    let mut filter = Filter::default();
    let service =
        object("Service", "a", r#""ports": [{"port": 80, "name": "http"}]"#).replace("networking.istio.io/v1", "v1");
    let route = r#""hosts": ["a"], "http": [{"route": [{"destination": {"host": "a"}}]}]"#;
    let objects = [object("VirtualService", "a", route), service];
    for domain in ["a.local", "b.local", "a.local"] {
        let proxy = format!(r#"{{"port": 80, "domain": "{domain}"}}"#);
        let json = format!(r#"{{"proxy": {proxy}, "resources": [{}]}}"#, objects.join(", "));
        let plugin = filter.load(&json, true).unwrap();
        assert_eq!(plugin.table, Plugin::load(json.as_bytes()).unwrap().table);
        let cluster = format!("outbound|80||a.default.svc.{domain}");
        assert_eq!(
            plugin.table.virtual_hosts[0].default_cluster.as_deref(),
            Some(&*cluster)
        );
    }
}

#[test]
fn a_virtual_service_that_did_not_change_keeps_its_routes() {
    let mut filter = Filter::default();
    let mut load = |subset: &str| {
        let [same, other] = [services(&[1], "v1", "x"), services(&[2], subset, "x")];
        let json = format!(r#"{{"proxy": {{"port": 80}}, "resources": [{same}, {other}]}}"#);
        filter.load(&json, true).unwrap().table.virtual_hosts
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
    let mut filter = Filter::default();
    let mut load = |names: &[&str]| filter.routes(&rules(names, "a", SIMPLE, 80));
    let (before, after) = (load(&["x", "y"]), load(&["x", "z", "y"]));
    assert!(Arc::ptr_eq(&before[0], &after[0]) && Arc::ptr_eq(&before[1], &after[1]));
    assert!(Arc::ptr_eq(&before[2].action, &after[4].action));
    assert_eq!(after[4].rule.http, 2);
}

#[test]
fn a_gateway_keeps_routes_too() {
    let mut filter = Filter::default();
    let at_gateway = |names: &[&str]| {
        let json = rules(names, "a", SIMPLE, 80).replace(r#""hosts""#, r#""gateways": ["g", "n/g"], "hosts""#);
        json.replace(r#"{"port": 80}"#, r#"{"port": 80, "gateways": ["default/g", "n/g"]}"#)
    };
    let before = filter.routes(&at_gateway(&["x", "y"]));
    assert!(Arc::ptr_eq(&before, &filter.routes(&at_gateway(&["x", "y"]))));
    assert!(Arc::ptr_eq(&before[0], &filter.routes(&at_gateway(&["x", "z"]))[0]));
    let fresh = Plugin::load(at_gateway(&["x", "z"]).as_bytes()).unwrap();
    assert_eq!(filter.in_use.table, fresh.table);
}

#[test]
fn a_refused_configuration_takes_nothing_away() {
    let mut filter = Filter::default();
    let good = rules(&["x"], "a", SIMPLE, 80);
    let before = filter.routes(&good);
    let broken = good.replace(r#""prefix": "/x""#, r#""prefix": /x"#);
    let wrong = good.replace(r#""prefix": "/x""#, r#""prefix": 5"#);
    for (json, is_judged) in [("{", true), (&broken, true), (&wrong, true), (&wrong, false)] {
        assert!(filter.load(json, is_judged).is_err(), "{json}");
        assert!(Arc::ptr_eq(&before, &filter.routes(&good)), "{json}");
    }
}

#[test]
fn listeners_that_take_turns_keep_their_routes() {
    let mut cache = Cache::default();
    let mut load = |port: u16, name: &str| {
        cache
            .load(rules(&["x", name], "a", SIMPLE, port).into(), |_| true)
            .unwrap()
    };
    let first = |plugin: &Plugin| Arc::clone(&plugin.table.virtual_hosts[0].routes.as_ref().unwrap()[0]);
    let mut all = |ports: Range<u16>, name: &str| ports.map(|port| load(port, name)).collect::<Vec<_>>();
    let is_same = |(before, plugin): (&Arc<Route>, &Plugin)| Arc::ptr_eq(before, &first(plugin));
    for ports in [80..82, 90..94] {
        let mut in_use = all(ports.clone(), "a");
        let before: Vec<_> = in_use.iter().map(first).collect();
        for name in ["b", "c", "d"] {
            in_use = all(ports.clone(), name);
            assert!(std::iter::zip(&before, &in_use).all(is_same), "{ports:?}");
        }
        // And not those of ever more listeners.
        all(100..104, "d");
        assert!(!std::iter::zip(&before, &all(ports, "d")).any(is_same));
    }
}
