//! Random configurations, changed at random, against random requests: what differs is named, and what is named differs.

use serde_json::{Value, json};

use super::super::*;
use super::{PORT, compiled, table, to};
use crate::dice::{Dice, Wyrand};

/// One thing out of several.
fn one<'a, T>(dice: &mut Wyrand, of: &'a [T]) -> &'a T {
    &of[dice.next() as usize % of.len()]
}

fn random_match(dice: &mut Wyrand) -> Value {
    let conditions = [
        json!({}),
        json!({"uri": {"prefix": "/"}}),
        json!({"uri": {"prefix": "/a"}}),
        json!({"uri": {"prefix": "/a/"}}),
        json!({"uri": {"exact": "/a"}}),
        json!({"uri": {"exact": "/ab"}}),
        json!({"uri": {"prefix": "/A"}, "ignoreUriCase": true}),
        json!({"uri": {"regex": "/a[0-9]*"}}),
        json!({"headers": {"h": {"exact": "1"}}}),
        json!({"headers": {"h": {"prefix": "1"}}}),
        json!({"headers": {"h": {}}}),
        json!({"headers": {"h": {"regex": "1|2"}}}),
        json!({"withoutHeaders": {"h": {"exact": "1"}}}),
        json!({"method": {"exact": "POST"}}),
        json!({"authority": {"exact": "a:9080"}}),
        json!({"authority": {"prefix": "a.d"}}),
        json!({"scheme": {"exact": "https"}}),
        json!({"queryParams": {"q": {"exact": "1"}}}),
    ];
    let mut merged = one(dice, &conditions).clone();
    if dice.next().is_multiple_of(3) {
        let other = one(dice, &conditions).clone();
        merged
            .as_object_mut()
            .unwrap()
            .extend(other.as_object().unwrap().clone());
    }
    merged
}

fn random_action(dice: &mut Wyrand) -> Value {
    let actions = [
        json!({"route": to("v1")}),
        json!({"route": to("v2")}),
        json!({"route": to("v2"), "timeout": "2s"}),
        json!({"route": to("v1"), "rewrite": {"uri": "/"}}),
        json!({"route": [{"destination": {"host": "a", "subset": "v1"}, "weight": 90}, {"destination": {"host": "a", "subset": "v2"}, "weight": 10}]}),
        json!({"route": [{"destination": {"host": "a", "subset": "v2"}, "weight": 1}, {"destination": {"host": "a", "subset": "v1"}, "weight": 9}]}),
        json!({"redirect": {"uri": "/x"}}),
        json!({"directResponse": {"status": 403}}),
        json!({"route": to("v1"), "fault": {"abort": {"httpStatus": 503, "percentage": {"value": 50}}}}),
    ];
    one(dice, &actions).clone()
}

fn random_rule(dice: &mut Wyrand) -> Value {
    let mut rule = random_action(dice);
    let matches: Vec<Value> = (0..1 + dice.next() % 2).map(|_| random_match(dice)).collect();
    rule["match"] = json!(matches);
    rule
}

/// The same rules with a few changes.
fn changed(dice: &mut Wyrand, rules: &[Value]) -> Vec<Value> {
    let mut rules = rules.to_vec();
    for _ in 0..1 + dice.next() % 3 {
        let place = dice.next() as usize % (rules.len() + 1);
        match dice.next() % 5 {
            0 => rules.insert(place, random_rule(dice)),
            1 if place < rules.len() && rules.len() > 1 => {
                rules.remove(place);
            }
            2 if place < rules.len() => {
                let moved = rules.remove(place);
                let to = dice.next() as usize % (rules.len() + 1);
                rules.insert(to, moved);
            }
            3 if place < rules.len() => rules[place]["match"] = json!([random_match(dice)]),
            4 if place < rules.len() => {
                let matches = rules[place]["match"].clone();
                rules[place] = random_action(dice);
                rules[place]["match"] = matches;
            }
            _ => {}
        }
    }
    rules
}

fn random_request(dice: &mut Wyrand) -> HeaderMap {
    let path = one(
        dice,
        &["/", "/a", "/ab", "/A", "/a/", "/a/b", "/a1", "/aB", "/b", "/a12"],
    );
    let query = one(dice, &["", "", "?q=1", "?q=2"]);
    let authority = one(
        dice,
        &[
            "a:9080",
            "a",
            "a.default",
            "A:9080",
            "a.default.svc.cluster.local:9080",
            "b",
        ],
    );
    let mut map = HeaderMap::default();
    map.push(":authority", authority.as_bytes());
    map.push(":path", format!("{path}{query}").as_bytes());
    map.push(":method", one(dice, &["GET", "POST"]).as_bytes());
    map.push(":scheme", one(dice, &["http", "http", "https"]).as_bytes());
    for _ in 0..dice.next() % 3 {
        map.push("h", one(dice, &["1", "2", "12", ""]).as_bytes());
    }
    map
}

/// The numbers of what takes a request on both sides, where it is treated differently.
fn cell(old: &RouteTable, new: &RouteTable, headers: &HeaderMap) -> Option<(usize, usize)> {
    let request = Request::new(headers);
    let takers = (old.taker(&request), new.taker(&request));
    let effects = (Effect::of(takers.0), Effect::of(takers.1));
    let number = |table: &RouteTable, taker: Taker| {
        let routes = table.virtual_host(&request).unwrap().routes.as_ref().unwrap();
        let position = |wanted| routes.iter().position(|route| std::sync::Arc::ptr_eq(route, wanted));
        match taker {
            Taker::Rule(route) => position(route).unwrap(),
            _ => routes.len(),
        }
    };
    (!effects.0.is_same(&effects.1, request.path_only().len())).then(|| (number(old, takers.0), number(new, takers.1)))
}

#[test]
fn every_request_that_is_treated_differently_is_in_a_class_and_every_class_has_one() {
    let mut dice = Wyrand::new(11);
    let (mut compared, mut differed, mut classes, mut unknown) = (0, 0, 0, 0);
    for _ in 0..1500 {
        let before: Vec<Value> = (0..1 + dice.next() % 6).map(|_| random_rule(&mut dice)).collect();
        let after = changed(&mut dice, &before);
        let (old, new) = (table(&before), table(&after));
        let differences = Comparison::new(&old, &new, PORT).differences(&mut |_, _| {});
        assert!(differences.len() <= 1);
        let named: Vec<&Class> = differences.iter().flat_map(|difference| &difference.classes).collect();
        let number = |side: &Option<Side>| side.as_ref().map(|side| side.number);
        for class in &named {
            classes += 1;
            let Some(example) = &class.example else {
                unknown += 1;
                continue;
            };
            let (was, is) = cell(&old, &new, &example.headers())
                .unwrap_or_else(|| panic!("{class:?} is no difference\n{before:#?}\n{after:#?}"));
            assert!(
                number(&class.old).is_none_or(|number| number == was)
                    && number(&class.new).is_none_or(|number| number == is)
            );
        }
        for _ in 0..300 {
            let request = random_request(&mut dice);
            compared += 1;
            let Some((was, is)) = cell(&old, &new, &request) else {
                continue;
            };
            differed += 1;
            let names = |class: &&&Class| {
                number(&class.old).is_none_or(|number| number == was)
                    && number(&class.new).is_none_or(|number| number == is)
            };
            assert!(
                named.iter().any(|class| names(&class)),
                "{was} {is} {request:?}\n{before:#?}\n{after:#?}\n{named:#?}"
            );
        }
    }
    assert!(differed * 10 > compared, "{differed} of {compared} differed");
    assert!(
        classes > 1000 && unknown * 20 < classes,
        "{unknown} of {classes} are unknown"
    );
}

/// Some VirtualServices, for a sidecar or for a gateway that sends some of its hosts to https.
fn random_documents(dice: &mut Wyrand, is_gateway: bool) -> Vec<Value> {
    let hosts = ["a", "b", "w.x.com", "*.x.com", "*"];
    let service = |index: usize, dice: &mut Wyrand| {
        let hosts: Vec<&str> = (0..1 + dice.next() % 2).map(|_| *one(dice, &hosts)).collect();
        let rules: Vec<Value> = (0..1 + dice.next() % 3).map(|_| random_rule(dice)).collect();
        json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": format!("v{index}")},
               "spec": {"hosts": hosts, "http": rules, "gateways": [if is_gateway { "edge" } else { "mesh" }]}})
    };
    let mut all: Vec<Value> = (0..1 + dice.next() as usize % 3)
        .map(|index| service(index, dice))
        .collect();
    let server = |hosts: &[&str], https_redirect: bool| json!({"port": {"number": PORT, "protocol": "HTTP", "name": "http"}, "hosts": hosts, "tls": {"httpsRedirect": https_redirect}});
    let servers = [
        server(&["*"], dice.next().is_multiple_of(4)),
        server(&["*.x.com", "b"], dice.next().is_multiple_of(2)),
    ];
    all.push(
        json!({"apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": {"name": "edge"},
                    "spec": {"servers": servers[..1 + dice.next() as usize % 2]}}),
    );
    all.push(
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": *one(dice, &["a", "b"])},
                    "spec": {"ports": [{"port": PORT, "name": "http"}]}}),
    );
    all
}

#[test]
fn hosts_that_come_go_and_overlap_are_compared_request_by_request() {
    let mut dice = Wyrand::new(5);
    let (mut differed, mut classes) = (0, 0);
    for turn in 0..600 {
        let is_gateway = turn % 2 == 0;
        let mut table = || {
            let resources = random_documents(&mut dice, is_gateway);
            let gateways = [if is_gateway { "edge" } else { "mesh" }];
            compiled(&json!({"proxy": {"port": PORT, "gateways": gateways}, "resources": resources}))
        };
        let (old, new) = (table(), table());
        let mut comparison = Comparison::new(&old, &new, PORT);
        let differences = comparison.differences(&mut |_, _| {});
        let same = |named: &Option<Side>, side: &Side| {
            named
                .as_ref()
                .is_none_or(|named| named.rule == side.rule && named.effect == side.effect)
        };
        for class in differences.iter().flat_map(|difference| &difference.classes) {
            classes += 1;
            let Some(example) = &class.example else { continue };
            let headers = example.headers();
            let sides = comparison.of_request(&Request::new(&headers));
            let (was, is) = sides.unwrap_or_else(|| panic!("{class:?} is no difference"));
            assert!(same(&class.old, &was) && same(&class.new, &is), "{class:?}");
        }
        for _ in 0..100 {
            let mut headers = random_request(&mut dice);
            let authority = *one(
                &mut dice,
                &[
                    "a",
                    "b:9080",
                    "w.x.com",
                    "q.x.com:80",
                    "zzz",
                    "a.default.svc.cluster.local",
                ],
            );
            headers = headers
                .iter()
                .map(|(name, value)| {
                    let is_authority = name == b":authority";
                    (
                        std::str::from_utf8(name).unwrap(),
                        if is_authority { authority.as_bytes() } else { value },
                    )
                })
                .collect();
            let request = Request::new(&headers);
            let Some((was, is)) = comparison.of_request(&request) else {
                continue;
            };
            differed += 1;
            let host = [&new, &old]
                .iter()
                .find_map(|table| table.virtual_host(&request))
                .unwrap()
                .name
                .to_string();
            let of_host = differences.iter().filter(|difference| difference.host == host);
            let mut named = of_host.flat_map(|difference| &difference.classes);
            assert!(
                named.any(|class| same(&class.old, &was) && same(&class.new, &is)),
                "{was:?} {is:?} {headers:?}\n{differences:#?}"
            );
        }
    }
    assert!(differed > 10_000 && classes > 2000, "{differed} {classes}");
}
