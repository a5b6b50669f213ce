use serde::Deserialize;
use std::collections::BTreeMap;

use super::*;

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Rule {
    name: String,
    weight: i64,
    mirror_percentage: f64,
    mirror: Option<Inner>,
    route: Vec<Inner>,
    headers: BTreeMap<String, Inner>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Inner {
    host: String,
    retry_on: Option<bool>,
}

fn read(json: &str) -> (Rule, Vec<String>) {
    let mut faults = Vec::new();
    let rule = decode(json, Unknown::Refuse, &mut faults);
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
fn what_is_not_json_is_one_fault() {
    let (rule, faults) = read(r#"{"name": "a", "#);
    assert_eq!(rule, Rule::default());
    assert_eq!(faults.len(), 1);
    assert!(faults[0].contains("Syntax"), "{faults:?}");
}
