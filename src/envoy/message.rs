//! Envoy's messages as protobuf writes them in JSON.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::duration;

/// A message without the fields that are not set: null stands for none, at any depth.
pub(super) fn message(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, message(value)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.into_iter().map(message).collect(),
        other => other,
    }
}

/// A message in an `Any`.
pub(super) fn any(name: &str, value: Value) -> Value {
    let mut fields = match message(value) {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    fields.insert("@type".to_owned(), format!("type.googleapis.com/{name}").into());
    fields.into()
}

/// An extension by the name of its factory and its configuration's type.
pub(super) fn extension(factory: &str, name: &str, config: Value) -> Value {
    serde_json::json!({"name": factory, "typed_config": any(name, config)})
}

/// A duration as protobuf writes it: `1.500s`.
pub(super) fn seconds(duration: Duration) -> String {
    let (whole, nanos) = (duration.as_secs(), duration.subsec_nanos());
    match nanos {
        0 => format!("{whole}s"),
        _ if nanos % 1_000_000 == 0 => format!("{whole}.{:03}s", nanos / 1_000_000),
        _ => format!("{whole}.{nanos:09}s"),
    }
}

/// A duration as it was written; none where there is none, or none that can be read.
pub(super) fn written(text: Option<&str>) -> Option<String> {
    text.and_then(|text| duration::parse(text).ok()).map(seconds)
}

/// A number, where zero stands for none.
pub(super) fn positive(number: i64) -> Option<i64> {
    (number > 0).then_some(number)
}

/// A double as protobuf writes it: without a fraction where it has none.
pub(super) fn double(number: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        return (number as i64).into();
    }
    number.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_set_is_not_there() {
        let value = json!({"a": null, "b": {"c": null}, "d": [{"e": null}], "f": 0});
        assert_eq!(message(value), json!({"b": {}, "d": [{}], "f": 0}));
    }

    #[test]
    fn durations_are_written_in_seconds() {
        assert_eq!(written(Some("5m")).as_deref(), Some("300s"));
        assert_eq!(written(Some("0.1s")).as_deref(), Some("0.100s"));
        assert_eq!(written(Some("1us")).as_deref(), Some("0.000001000s"));
        assert_eq!(written(Some("soon")), None);
    }
}
