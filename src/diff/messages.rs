//! What differs between Envoy's messages: clusters, and listeners of gateways.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::Change;

/// A message that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MessageChange {
    /// Its name.
    pub name: String,
    /// Whether it was there, and is there.
    pub kind: MessageChangeKind,
    /// Its fields that changed, by their paths.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

/// What was done to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum MessageChangeKind {
    /// It was not there.
    Added,
    /// It is not there any more.
    Gone,
    /// It has other fields.
    Changed,
}

/// What differs between messages by name.
pub fn messages(old: &BTreeMap<String, Value>, new: &BTreeMap<String, Value>) -> Vec<MessageChange> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let change = |name: &String| {
        let (kind, changes) = match (old.get(name), new.get(name)) {
            (Some(old), Some(new)) if old == new => return None,
            (Some(old), Some(new)) => (MessageChangeKind::Changed, changes(old, new)),
            (None, _) => (MessageChangeKind::Added, Vec::new()),
            (_, None) => (MessageChangeKind::Gone, Vec::new()),
        };
        Some(MessageChange {
            name: name.clone(),
            kind,
            changes,
        })
    };
    names.into_iter().filter_map(change).collect()
}

fn changes(old: &Value, new: &Value) -> Vec<Change> {
    let leaves = |value| {
        let mut leaves = BTreeMap::new();
        flatten(value, String::new(), &mut leaves);
        leaves
    };
    super::changes(&leaves(old), &leaves(new))
}

/// Every field that is no message, by its path; an endpoint by its address, whatever its place.
fn flatten(value: &Value, path: String, leaves: &mut BTreeMap<String, String>) {
    let below = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match (name.as_str(), value.as_array()) {
                    ("@type" | "cluster_name", _) => {}
                    ("endpoints", Some(groups)) => groups.iter().for_each(|group| endpoints(group, leaves)),
                    // The names of extensions say nothing that their fields do not.
                    ("typed_config" | "typed_extension_protocol_options", _) => flatten(value, path.clone(), leaves),
                    (name, _) if name.starts_with("envoy.") => flatten(value, path.clone(), leaves),
                    (name, _) => flatten(value, below(name), leaves),
                }
            }
        }
        Value::Array(entries) => {
            for (index, entry) in entries.iter().enumerate() {
                flatten(entry, format!("{path}[{index}]"), leaves);
            }
        }
        Value::String(text) => {
            leaves.insert(path, text.clone());
        }
        other => {
            leaves.insert(path, other.to_string());
        }
    }
}

/// A place's endpoints, each with its share and its place.
fn endpoints(group: &Value, leaves: &mut BTreeMap<String, String>) {
    let text = |value: &Value, name: &str| {
        value
            .get(name)
            .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    let locality = group.get("locality");
    let place: Vec<String> = ["region", "zone", "sub_zone"]
        .iter()
        .filter_map(|part| text(locality?, part))
        .collect();
    let own = [
        text(group, "priority").map(|priority| format!("priority {priority}")),
        Some(place.join("/")).filter(|place| !place.is_empty()),
    ];
    let own: Vec<String> = own.into_iter().flatten().collect();
    for endpoint in group
        .get("lb_endpoints")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let address = endpoint.pointer("/endpoint/address");
        let socket = address.and_then(|address| address.get("socket_address"));
        let named = socket.map(|socket| {
            let part = |name| text(socket, name).unwrap_or_default();
            format!("{}:{}", part("address"), part("port_value"))
        });
        let pipe = || address.and_then(|address| text(address.get("pipe")?, "path"));
        let weight = text(endpoint, "load_balancing_weight").map(|weight| format!("weight {weight}"));
        let said: Vec<String> = weight.into_iter().chain(own.iter().cloned()).collect();
        let name = format!("endpoint {}", named.or_else(pipe).unwrap_or_default());
        let before = leaves
            .remove(&name)
            .map(|before| format!("{before}; "))
            .unwrap_or_default();
        leaves.insert(name, before + &said.join(", "));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(old: Value, new: Value) -> Vec<String> {
        let named = |value| BTreeMap::from([("c".to_owned(), value)]);
        let found = messages(&named(old), &named(new));
        let none = || "none".to_owned();
        let line = |change: Change| {
            format!(
                "{}: {} {}",
                change.what,
                change.old.unwrap_or_else(none),
                change.new.unwrap_or_else(none)
            )
        };
        found
            .into_iter()
            .flat_map(|message| message.changes)
            .map(line)
            .collect()
    }

    #[test]
    fn fields_have_their_paths_and_endpoints_their_addresses() {
        let endpoint = |address: &str, weight: u32| json!({"endpoint": {"address": {"socket_address": {"address": address, "port_value": 80}}}, "load_balancing_weight": weight});
        let cluster = |limit: u32, endpoints: Value| {
            json!({
                "circuit_breakers": {"thresholds": [{"max_connections": limit}]},
                "typed_extension_protocol_options": {"envoy.x": {"@type": "x", "a": {"b": limit}}},
                "load_assignment": {"cluster_name": "c", "endpoints": [{"priority": 1, "lb_endpoints": endpoints}]},
            })
        };
        let old = cluster(1, json!([endpoint("127.0.0.1", 1), endpoint("127.0.0.2", 1)]));
        let new = cluster(2, json!([endpoint("127.0.0.2", 3), endpoint("127.0.0.3", 1)]));
        assert_eq!(
            lines(old, new),
            [
                "a.b: 1 2",
                "circuit_breakers.thresholds[0].max_connections: 1 2",
                "endpoint 127.0.0.1:80: weight 1, priority 1 none",
                "endpoint 127.0.0.2:80: weight 1, priority 1 weight 3, priority 1",
                "endpoint 127.0.0.3:80: none weight 1, priority 1",
            ]
        );
    }
}
