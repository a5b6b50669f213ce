//! Findings as JSON.

use serde::Serialize;

use super::item::{Item, Place};
use crate::cli::Failure;

#[derive(Serialize)]
struct Finding<'a> {
    severity: String,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<Object<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    path: &'a str,
    message: &'a str,
    #[serde(flatten)]
    place: Option<Position<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related: Vec<Related<'a>>,
}

#[derive(Serialize)]
struct Object<'a> {
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
}

#[derive(Serialize)]
struct Position<'a> {
    file: &'a str,
    line: usize,
    column: usize,
}

#[derive(Serialize)]
struct Related<'a> {
    message: &'a str,
    #[serde(flatten)]
    place: Position<'a>,
}

fn position<'a>(place: &Place<'a>) -> Position<'a> {
    Position {
        file: place.file,
        line: place.at.line,
        column: place.at.column,
    }
}

pub(super) fn print(items: &[Item]) -> Result<String, Failure> {
    let finding = |item: &Item| {
        let related = item.related.iter();
        serde_json::to_value(Finding {
            severity: item.severity.to_string().to_lowercase(),
            code: item.code,
            object: item.object.map(|object| Object {
                kind: &object.kind,
                namespace: &object.namespace,
                name: &object.name,
            }),
            path: item.path,
            message: item.message,
            place: item.place.as_ref().map(position),
            related: related
                .map(|(place, message)| Related {
                    message,
                    place: position(place),
                })
                .collect(),
        })
    };
    let all: Result<Vec<_>, _> = items.iter().map(finding).collect();
    all.and_then(|all| serde_json::to_string_pretty(&all))
        .map_err(|error| Failure::of("the findings", error))
}
