//! Findings as SARIF 2.1.0, the form of code scanners.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::item::{Item, Place};
use crate::cli::Failure;
use crate::finding::Severity;

pub(super) fn print(items: &[Item]) -> Result<String, Failure> {
    let codes: BTreeSet<&str> = items.iter().map(id).collect();
    let rules: Vec<Value> = codes.iter().map(|code| rule(code)).collect();
    let results: Vec<Value> = items.iter().map(result).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "switchyard", "version": env!("CARGO_PKG_VERSION"), "rules": rules}},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    serde_json::to_string_pretty(&log).map_err(|error| Failure::of("the findings", error))
}

/// What has no code is about the shape of a document.
fn id<'a>(item: &Item<'a>) -> &'a str {
    if item.code.is_empty() { "schema" } else { item.code }
}

fn rule(code: &str) -> Value {
    let mut rule = json!({ "id": code });
    if code.starts_with("IST")
        && let Some(rule) = rule.as_object_mut()
    {
        let help = format!(
            "https://istio.io/latest/docs/reference/config/analysis/{}/",
            code.to_lowercase()
        );
        rule.insert("helpUri".to_owned(), Value::from(help));
    }
    rule
}

fn result(item: &Item) -> Value {
    let level = match item.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    };
    let related = item.related.iter().enumerate().map(|(index, (place, message))| {
        let mut location = location(place);
        if let Some(location) = location.as_object_mut() {
            location.insert("id".to_owned(), Value::from(index));
            location.insert("message".to_owned(), json!({ "text": message }));
        }
        location
    });
    json!({
        "ruleId": id(item),
        "level": level,
        "message": {"text": format!("{}{}", item.subject(), item.message)},
        "locations": item.place.iter().map(location).collect::<Vec<_>>(),
        "relatedLocations": related.collect::<Vec<_>>(),
    })
}

fn location(place: &Place) -> Value {
    json!({
        "physicalLocation": {
            "artifactLocation": {"uri": uri(place.file)},
            "region": {"startLine": place.at.line, "startColumn": place.at.column},
        },
    })
}

/// A path as a URI reference.
fn uri(path: &str) -> String {
    let escaped = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    path.bytes().map(escaped).collect()
}
