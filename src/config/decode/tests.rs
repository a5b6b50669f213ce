use std::collections::BTreeMap;

use super::*;

#[derive(Debug, Default, PartialEq)]
struct Rule {
    name: String,
    weight: i64,
    mirror_percentage: f64,
    mirror: Option<Inner>,
    route: Vec<Inner>,
    headers: BTreeMap<String, Inner>,
}

fields!(Rule: name, weight, mirror_percentage, mirror, route, headers);

#[derive(Debug, Default, PartialEq)]
struct Inner {
    host: String,
    retry_on: Option<bool>,
}

fields!(Inner: host, retry_on);

fn read(json: &str) -> (Rule, Vec<String>) {
    let mut rule = Rule::default();
    let faults = decode(&mut rule, &Json::skim(json, 1).unwrap(), Unknown::Refuse);
    (
        rule,
        faults.iter().map(|f| format!("{}: {:?}", f.path, f.kind)).collect(),
    )
}

#[test]
fn every_fault_is_found_and_the_rest_is_read() {
    let (rule, faults) = read(
        r#"{"name": 7, "weigth": 1, "route": [{"host": "a"}, {"hots": "b", "retryOn": "yes"}, 5],
            "headers": {"x": {"host": ["h"]}}, "weight": 2}"#,
    );
    assert_eq!(
        faults,
        [
            r#"name: Mismatch { expected: "a string", found: "a number" }"#,
            r#"weigth: UnknownField { nearest: Some("weight") }"#,
            r#"route[1].hots: UnknownField { nearest: Some("host") }"#,
            r#"route[1].retryOn: Mismatch { expected: "true or false", found: "a string" }"#,
            r#"route[2]: Mismatch { expected: "an object", found: "a number" }"#,
            r#"headers.x.host: Mismatch { expected: "a string", found: "a list" }"#,
        ]
    );
    assert_eq!(rule.weight, 2);
    assert_eq!(rule.route.len(), 3);
    assert_eq!(rule.route[0].host, "a");
}

#[test]
fn both_spellings_are_one_field() {
    let (rule, faults) = read(r#"{"mirror_percentage": 1, "mirror": {"retry_on": true}}"#);
    assert_eq!((rule.mirror_percentage, faults), (1.0, vec![]));
    assert_eq!(rule.mirror.and_then(|m| m.retry_on), Some(true));
    let (_, faults) = read(r#"{"mirror_percentage": 1, "mirrorPercentage": 2}"#);
    assert_eq!(faults, ["mirrorPercentage: DuplicateField"]);
    assert_eq!(read(r#"{"mirrorpercentage": 1}"#).1.len(), 1);
}

#[test]
fn whole_numbers_may_be_written_as_doubles() {
    assert_eq!(
        read(r#"{"weight": 100.0}"#),
        (
            Rule {
                weight: 100,
                ..Rule::default()
            },
            vec![]
        )
    );
    assert_eq!(
        read(r#"{"weight": 1.5}"#).1,
        [r#"weight: Mismatch { expected: "a whole number", found: "a fraction" }"#]
    );
}

#[test]
fn null_is_an_unset_field_and_a_fault_in_a_list() {
    let (rule, faults) = read(r#"{"name": null, "route": null, "mirror": null, "headers": {"x": {}}}"#);
    assert_eq!((rule.mirror, faults), (None, vec![]));
    assert_eq!(
        read(r#"{"route": [null], "headers": {"x": null}}"#).1,
        ["route[0]: Null", "headers.x: Null"]
    );
}

#[test]
fn members_that_are_strange_or_twice_there_are_found() {
    let json = Json::skim(r#"{"kind": 1, "specs": 2, "kind": 3}"#, 1).unwrap();
    let names: Vec<String> = strays(&json, &["kind", "spec"])
        .iter()
        .map(|fault| format!("{}: {:?}", fault.path, fault.kind))
        .collect();
    assert_eq!(
        names,
        [
            r#"specs: UnknownField { nearest: Some("spec") }"#,
            "kind: DuplicateField"
        ]
    );
}
