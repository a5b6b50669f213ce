use serde_json::json;

use super::*;

/// A cluster with its endpoints, a route configuration, a filter configuration and a listener for each name given.
fn snapshot(clusters: &[&str], listeners: &[&str]) -> Snapshot {
    let named = |names: &[&str], kind: &str| -> Resources {
        let resource = |name: &&str| (name.to_string(), json!({ "is": kind, "name": name, "of": clusters }));
        names.iter().map(resource).collect()
    };
    let cluster = |name: &&str| (name.to_string(), json!({ "name": name }));
    let mut listeners_with_proving = listeners.iter().map(listener).collect();
    add_proving(&mut listeners_with_proving);
    Snapshot {
        endpoints: clusters.iter().map(cluster).collect(),
        clusters: clusters.iter().map(cluster).collect(),
        routes: named(listeners, "routes"),
        extensions: named(listeners, "extension"),
        listeners: listeners_with_proving,
    }
}

fn listener(name: &&str) -> (String, Value) {
    let filter = json!({"name": name, "config_discovery": {"from": name}});
    let manager = json!({"http_filters": [filter, {"name": "router"}]});
    (
        name.to_string(),
        json!({"name": name, "filter_chains": [{"filters": [manager]}]}),
    )
}

fn take(has: &Snapshot, steps: Vec<Step>) -> Snapshot {
    let mut has = has.clone();
    steps
        .into_iter()
        .for_each(|step| *has.of_mut(step.kind) = step.resources);
    has
}

fn kinds(steps: &[Step]) -> Vec<Kind> {
    steps.iter().map(|step| step.kind).collect()
}

#[test]
fn nothing_is_done_where_nothing_changes() {
    let has = snapshot(&["a", "b"], &["l"]);
    assert_eq!((make(&has, &has), trim(&has, &has)), (vec![], vec![]));
}

#[test]
fn rules_alone_change_only_the_filter() {
    let has = snapshot(&["a"], &["l"]);
    let mut wants = has.clone();
    wants.extensions.insert("l".to_owned(), json!("other"));
    assert_eq!(kinds(&make(&has, &wants)), [Kind::Extensions]);
    assert_eq!(trim(&take(&has, make(&has, &wants)), &wants), []);
}

#[test]
fn what_is_new_stands_before_the_filter_asks_for_it() {
    use Kind::*;
    let steps = make(&snapshot(&["a"], &["l"]), &snapshot(&["a", "b"], &["l", "m"]));
    assert_eq!(
        kinds(&steps),
        [Endpoints, Clusters, Routes, Extensions, Listeners, Listeners]
    );
}

#[test]
fn a_filter_is_proven_before_a_listener_has_it() {
    let (has, wants) = (snapshot(&["a"], &["l"]), snapshot(&["a"], &["l", "m"]));
    let steps = make(&has, &wants);
    let proving = &steps[steps.len() - 2].resources;
    assert_eq!(proving.keys().collect::<Vec<_>>(), ["l", PROVING]);
    assert_eq!(proving[PROVING], wants.listeners[PROVING]);
    let filters = proving[PROVING]
        .pointer("/filter_chains/0/filters/0/typed_config/http_filters")
        .unwrap();
    let names: Vec<&str> = filters
        .as_array()
        .unwrap()
        .iter()
        .map(|filter| filter["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["l", "m", "envoy.filters.http.router"]);
    let started: Vec<Step> = boot(&wants)
        .into_iter()
        .filter(|step| step.kind == Kind::Listeners)
        .collect();
    assert_eq!(started.len(), 1);
    assert_eq!(started[0].resources.keys().collect::<Vec<_>>(), [PROVING]);
}

#[test]
fn the_addresses_are_those_that_clients_reach() {
    let mut listeners = Resources::new();
    add_proving(&mut listeners);
    let address = json!({"socket_address": {"address": "::1", "port_value": 80}});
    listeners.insert("l".to_owned(), json!({ "address": address }));
    assert_eq!(addresses(&listeners), ["[::1]:80"]);
}

#[test]
fn what_is_old_stays_until_it_is_trimmed() {
    use Kind::*;
    let (has, wants) = (snapshot(&["a", "b"], &["l", "m"]), snapshot(&["b", "c"], &["m"]));
    let both = take(&has, make(&has, &wants));
    assert_eq!(both.clusters.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(both.endpoints.len(), 3);
    assert_eq!(both.listeners, wants.listeners);
    assert_eq!(kinds(&trim(&both, &wants)), [Extensions, Routes, Clusters, Endpoints]);
    assert_eq!(take(&both, trim(&both, &wants)), wants);
}

/// Whatever comes to nothing in between: a listener finds its routes and its filter's configuration, a filter's configuration the clusters
/// it was made for, a cluster its endpoints.
#[test]
fn no_step_leaves_anything_without_what_it_names() {
    let all = ["a", "b", "c"];
    let subsets = |bits: usize| -> Vec<&str> { (0..3).filter(|i| bits >> i & 1 == 1).map(|i| all[i]).collect() };
    let whole = |now: &Snapshot| {
        for listener in now.listeners.keys().filter(|name| *name != PROVING) {
            assert!(
                now.routes.contains_key(listener) && now.extensions.contains_key(listener),
                "{now:?}"
            );
        }
        for name in now.listeners.keys().filter(|name| *name != PROVING) {
            let used = now.extensions[name]["of"].as_array().unwrap();
            assert!(
                used.iter().all(|c| now.clusters.contains_key(c.as_str().unwrap())),
                "{now:?}"
            );
        }
        assert!(
            now.clusters.keys().all(|name| now.endpoints.contains_key(name)),
            "{now:?}"
        );
    };
    for change in 0..1 << 12 {
        let bits = |at: usize| subsets(change >> at & 7);
        let (has, wants) = (snapshot(&bits(0), &bits(3)), snapshot(&bits(6), &bits(9)));
        let mut now = has.clone();
        for step in make(&has, &wants) {
            *now.of_mut(step.kind) = step.resources;
            whole(&now);
        }
        for step in trim(&now.clone(), &wants) {
            *now.of_mut(step.kind) = step.resources;
            whole(&now);
        }
        assert_eq!(now, wants);
    }
}

fn routes(variants: &[&str], cluster: &str) -> Snapshot {
    let header = |name: &str, value: &str| json!({"name": name, "string_match": {"exact": value}});
    let mut routes: Vec<Value> = variants
        .iter()
        .map(|name| json!({"name": name, "match": {"prefix": "/", "headers": [header(reserved::RETRY, name)]}}))
        .collect();
    routes.push(json!({"name": "overlay", "match": {"prefix": "/", "headers": [{"name": reserved::CLUSTER, "present_match": true}]}}));
    routes.push(json!({"name": "own", "match": {"prefix": "/"}, "route": {"cluster": cluster}}));
    let configuration = json!({"name": "r", "virtual_hosts": [{"name": "*", "routes": routes}]});
    Snapshot {
        routes: Resources::from([("r".to_owned(), configuration)]),
        ..Snapshot::default()
    }
}

#[test]
fn variants_of_the_earlier_configuration_stay_beside_the_new_ones() {
    let (has, wants) = (routes(&["x", "y"], "old"), routes(&["y", "z"], "new"));
    let both = take(&has, make(&has, &wants));
    let list = both.routes["r"]["virtual_hosts"][0]["routes"].as_array().unwrap();
    let names: Vec<&str> = list.iter().map(|route| route["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["x", "y", "z", "overlay", "own"]);
    assert_eq!(list[4]["route"]["cluster"], "new");
    assert_eq!(take(&both, trim(&both, &wants)), wants);
}

#[test]
fn a_kept_variant_with_mirrors_takes_nothing_from_a_new_one() {
    // As the overlay orders them: who asks for mirrors that are not there goes on with the retry policy alone.
    let route = |retry: Option<&str>, mirrors: Option<&str>| {
        let retried = |key| json!({"name": reserved::RETRY, "string_match": {"exact": key}});
        let not_retried = json!({"name": reserved::RETRY, "present_match": false});
        let mirrored = mirrors.map(|key| json!({"name": reserved::MIRROR, "string_match": {"exact": key}}));
        let headers: Vec<Value> = [retry.map_or(not_retried, retried)]
            .into_iter()
            .chain(mirrored)
            .collect();
        json!({"name": format!("{retry:?} {mirrors:?}"), "match": {"prefix": "", "headers": headers}})
    };
    let with = |mirrors: &str| {
        let routes = [
            route(Some("x"), Some(mirrors)),
            route(Some("x"), None),
            route(None, Some(mirrors)),
        ];
        let configuration = json!({"name": "r", "virtual_hosts": [{"name": "*", "routes": routes}]});
        Snapshot {
            routes: Resources::from([("r".to_owned(), configuration)]),
            ..Snapshot::default()
        }
    };
    let (has, wants) = (with("old"), with("new"));
    let both = take(&has, make(&has, &wants));
    let list = both.routes["r"]["virtual_hosts"][0]["routes"].as_array().unwrap();
    let takes = |retry: Option<&str>, mirrors: &str| {
        let is_taken = |header: &Value| {
            let value = if header["name"] == reserved::RETRY {
                retry
            } else {
                Some(mirrors)
            };
            match header["present_match"].as_bool() {
                Some(present) => value.is_some() == present,
                None => value == header["string_match"]["exact"].as_str(),
            }
        };
        let takes = |route: &&Value| route["match"]["headers"].as_array().unwrap().iter().all(is_taken);
        list.iter().find(takes).unwrap()["name"].as_str().unwrap()
    };
    for mirrors in ["old", "new"] {
        for retry in [Some("x"), None] {
            assert_eq!(takes(retry, mirrors), format!("{retry:?} {:?}", Some(mirrors)));
        }
    }
    assert_eq!(take(&both, trim(&both, &wants)), wants);
}

#[test]
fn a_change_during_a_change_starts_from_what_stands() {
    let (first, second, third) = (routes(&["x"], "1"), routes(&["y"], "2"), routes(&["z"], "3"));
    let between = take(&first, make(&first, &second));
    let both = take(&between, make(&between, &third));
    let list = both.routes["r"]["virtual_hosts"][0]["routes"].as_array().unwrap();
    assert_eq!(list.len(), 5, "the variants of all three: {list:?}");
}

#[test]
fn a_filter_stays_in_its_machine_when_it_needs_less() {
    let with = |callbacks: &[&str], rules: &str| {
        let list: Value = callbacks.iter().map(|name| (name.to_string(), json!({}))).collect();
        let config = json!({"capability_restriction_config": {"allowed_capabilities": list}, "configuration": rules});
        let mut snapshot = snapshot(&["a"], &["l"]);
        let extension = json!({"typed_config": {"config": config}});
        snapshot.extensions.insert("l".to_owned(), extension);
        snapshot
    };
    let mirrors = ["proxy_on_tick", "proxy_on_http_call_response"];
    let (has, wants) = (with(&mirrors, "old"), with(&["proxy_on_tick"], "new"));
    let made = take(&has, make(&has, &wants));
    assert_eq!(made, with(&mirrors, "new"));
    assert_eq!((make(&made, &wants), trim(&made, &wants)), (vec![], vec![]));
    assert_eq!(take(&wants, make(&wants, &has)), has);
    let started = Snapshot::default();
    assert_eq!(take(&started, make(&started, &wants)), wants);
}
