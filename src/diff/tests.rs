use serde_json::{Value, json};

use super::*;
use crate::config::Config;
use crate::matcher::Regexes;
use crate::registry::Registry;

mod random;

const PORT: u16 = 9080;

/// The table of some rules of one host.
fn table(rules: &[Value]) -> RouteTable {
    let json = json!({
        "proxy": {"port": PORT},
        "resources": [
            {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "a"},
             "spec": {"hosts": ["a"], "http": rules}},
        ],
    });
    compiled(&json)
}

fn compiled(json: &Value) -> RouteTable {
    let (config, findings) = Config::from_json(json.to_string().as_bytes());
    assert!(findings.is_empty(), "{findings:?}");
    let (table, findings) = RouteTable::compile(&config, &Registry::new(&config), &mut Regexes::new(1 << 20));
    assert!(findings.is_empty(), "{findings:?}");
    table
}

fn differences(old: &[Value], new: &[Value]) -> Vec<Difference> {
    let (old, new) = (table(old), table(new));
    Comparison::new(&old, &new, PORT).differences(&mut |_, _| {})
}

fn to(subset: &str) -> Value {
    json!([{"destination": {"host": "a", "subset": subset}}])
}

fn rule(matches: Value, subset: &str) -> Value {
    json!({"match": matches, "route": to(subset)})
}

fn kinds(old: &[Value], new: &[Value]) -> Vec<(RuleChangeKind, Option<usize>, Option<usize>)> {
    let http = |rule: &Option<RuleReference>| rule.as_ref().map(|rule| rule.http);
    let rules = differences(old, new)
        .into_iter()
        .flat_map(|difference| difference.rules);
    rules
        .map(|change| (change.kind, http(&change.old), http(&change.new)))
        .collect()
}

#[test]
fn a_rule_is_added_gone_moved_or_changed() {
    use RuleChangeKind::*;
    let (a, b) = (
        rule(json!([{"uri": {"exact": "/a"}}]), "v1"),
        rule(json!([{"uri": {"exact": "/b"}}]), "v2"),
    );
    let (a2, ab) = (
        rule(json!([{"uri": {"exact": "/a"}}]), "v2"),
        rule(json!([{"uri": {"exact": "/ab"}}]), "v1"),
    );
    let of = |old: &[&Value], new: &[&Value]| {
        let owned = |rules: &[&Value]| rules.iter().map(|rule| (*rule).clone()).collect::<Vec<_>>();
        kinds(&owned(old), &owned(new))
    };
    assert_eq!(of(&[&a], &[&a, &b]), [(Added, None, Some(1))]);
    assert_eq!(of(&[&a, &b], &[&b]), [(Gone, Some(0), None)]);
    assert_eq!(of(&[&a, &b], &[&b, &a]), [(Moved, Some(0), Some(1))]);
    assert_eq!(of(&[&a, &b], &[&a2, &b]), [(Changed, Some(0), Some(0))]);
    assert_eq!(of(&[&a, &b], &[&ab, &b]), [(Rematched, Some(0), Some(0))]);
    assert_eq!(of(&[&a, &b], &[&a, &b]), []);
}

#[test]
fn another_match_says_what_it_asks_for_instead() {
    let old = rule(
        json!([{"uri": {"prefix": "/a"}, "headers": {"h": {"exact": "1"}}}]),
        "v1",
    );
    let new = rule(json!([{"uri": {"prefix": "/b"}, "withoutHeaders": {"h": {}}}]), "v1");
    let found = differences(&[old], &[new]);
    let line = |change: &Change| format!("{} {:?} {:?}", change.what, change.old, change.new);
    assert_eq!(
        found[0].rules[0].conditions.iter().map(line).collect::<Vec<_>>(),
        [
            r#"headers.h Some("exact 1") None"#,
            r#"uri Some("prefix /a") Some("prefix /b")"#,
            r#"withoutHeaders.h None Some("present")"#
        ]
    );
}

#[test]
fn a_rule_that_loses_all_its_requests_is_hidden() {
    let (wide, narrow) = (
        rule(json!([{"uri": {"prefix": "/a"}}]), "v1"),
        rule(json!([{"uri": {"exact": "/ab"}}]), "v2"),
    );
    assert_eq!(
        kinds(std::slice::from_ref(&narrow), &[wide.clone(), narrow.clone()]),
        [
            (RuleChangeKind::Added, None, Some(0)),
            (RuleChangeKind::Hidden, Some(0), Some(1))
        ]
    );
    assert_eq!(
        kinds(&[wide.clone(), narrow.clone()], std::slice::from_ref(&narrow)),
        [
            (RuleChangeKind::Gone, Some(0), None),
            (RuleChangeKind::Revealed, Some(1), Some(0))
        ]
    );
    let added = &differences(std::slice::from_ref(&wide), &[wide.clone(), narrow])[0];
    assert!(added.rules[0].is_hidden && added.classes.is_empty());
}

#[test]
fn weights_are_compared_by_their_shares() {
    let split = |one: u64, two: u64| json!({"route": [{"destination": {"host": "a", "subset": "v1"}, "weight": one}, {"destination": {"host": "a", "subset": "v2"}, "weight": two}]});
    assert_eq!(differences(&[split(1, 1)], &[split(50, 50)]), []);
    let found = differences(&[split(90, 10)], &[split(80, 20)]);
    let class = &found[0].classes[0];
    let changes = class
        .old
        .as_ref()
        .unwrap()
        .effect
        .changes(&class.new.as_ref().unwrap().effect);
    let weights: Vec<String> = changes
        .iter()
        .map(|change| {
            format!(
                "{} {} {}",
                change.what,
                change.old.as_ref().unwrap(),
                change.new.as_ref().unwrap()
            )
        })
        .collect();
    assert_eq!(
        weights,
        [
            "weight outbound|9080|v1|a.default.svc.cluster.local 90 % 80 %",
            "weight outbound|9080|v2|a.default.svc.cluster.local 10 % 20 %"
        ]
    );
}

#[test]
fn the_same_meaning_in_other_words_makes_no_class() {
    let prefixes = [rule(
        json!([{"uri": {"prefix": "/a"}}, {"uri": {"prefix": "/ab"}}]),
        "v1",
    )];
    let regex = [rule(json!([{"uri": {"regex": "/a.*"}}]), "v1")];
    let found = differences(&prefixes, &regex);
    assert!(
        found.iter().all(|difference| difference.classes.is_empty()),
        "{found:#?}"
    );
}
