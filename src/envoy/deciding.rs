//! What the filter gets of the documents: what it decides by. A change to nothing but endpoints or policies then leaves it alone.

use serde_json::Value;

use crate::config::{Config, DECIDING_KINDS};

/// Whether an object may decide over requests.
pub(super) fn decides(object: &Value) -> bool {
    let kind = object.get("kind").and_then(Value::as_str);
    kind.is_some_and(|kind| DECIDING_KINDS.contains(&kind))
}

/// Of such objects, those that any route depends on, as they were written but for the endpoints that a ServiceEntry lists.
pub(super) fn deciding(objects: &[Value], config: &Config) -> Vec<Value> {
    // One that does not hash may stand before one that does.
    let are_hashing = config.resources.destination_rules.iter().any(|rule| rule.spec.hashes());
    let part = |object: &Value| match object.get("kind").and_then(Value::as_str) {
        Some("DestinationRule") => are_hashing.then(|| object.clone()),
        Some("ServiceEntry") => Some(without_endpoints(object)),
        _ => Some(object.clone()),
    };
    objects.iter().filter_map(part).collect()
}

/// Where names are looked up, there being endpoints may matter.
fn without_endpoints(entry: &Value) -> Value {
    let mut entry = entry.clone();
    let spec = entry.get_mut("spec").and_then(Value::as_object_mut);
    if let Some(spec) = spec.filter(|spec| spec.get("resolution").is_some_and(|resolution| resolution == "STATIC")) {
        spec.remove("endpoints");
    }
    entry
}
