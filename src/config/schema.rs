//! JSON Schema (draft 2020-12) of what is read, made of the same lists of fields that read it: for editors, and for those who write the
//! JSON by program.
//!
//! It says what a document may look like: fields, types, names and forms of values. What Istio says of documents beyond that is
//! [`crate::validate`]'s.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde_json::{Map, Value, json};

use super::destination_rule::DestinationRule;
use super::gateway::Gateway;
use super::kubernetes::{EndpointSlice, Endpoints, Pod, Service};
use super::object::{ISTIO_VERSIONS, NETWORKING, ObjectMeta};
use super::service_entry::ServiceEntry;
use super::virtual_service::VirtualService;
use super::{KINDS, Options, Proxy, Unread};

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of a plugin's JSON.
pub fn plugin() -> Value {
    let mut to = Definitions::default();
    let resources =
        json!({"type": "array", "items": resource(&mut to), "description": "The objects, as Kubernetes has them."});
    let properties = json!({
        "proxy": Proxy::describe(&mut to),
        "options": Options::describe(&mut to),
        "resources": resources,
        "generation": described(u32::describe(&mut to), "The number under which this configuration is counted while it is in use."),
    });
    let own = json!({"type": "object", "properties": properties, "additionalProperties": false});
    to.whole("The configuration of switchyard.wasm", own)
}

/// The schema of a Kubernetes object of any kind that is read; an object of another kind may be anything.
pub fn manifest() -> Value {
    let mut to = Definitions::default();
    let own = resource(&mut to);
    to.whole("A manifest that switchyard reads", own)
}

/// The schema of a Kubernetes object of a kind; none for a kind that is not read.
pub fn object(kind: &str) -> Option<Value> {
    let mut to = Definitions::default();
    let own = of_kind(kind, &mut to)?;
    Some(to.whole(kind, own))
}

/// A schema of its own for another message.
pub fn message<T: Describe>(title: &str) -> Value {
    let mut to = Definitions::default();
    let own = T::describe(&mut to);
    to.whole(title, own)
}

/// An object of any kind; those that are not read may be anything.
fn resource(to: &mut Definitions) -> Value {
    let is = |kind: Value| json!({"properties": {"kind": kind}, "required": ["kind"]});
    let mut all: Vec<Value> = KINDS
        .iter()
        .filter_map(|kind| Some(json!({"if": is(json!({"const": kind})), "then": of_kind(kind, to)?})))
        .collect();
    let items = json!({"items": {"type": "array", "items": {"$ref": "#/$defs/resource"}}});
    all.push(json!({"if": is(json!({"pattern": "List$"})), "then": {"properties": items}}));
    let own = json!({"type": "object", "properties": {"kind": {"type": "string"}}, "required": ["kind"], "allOf": all});
    to.definitions.insert("resource".to_owned(), own);
    json!({"$ref": "#/$defs/resource"})
}

fn of_kind(kind: &str, to: &mut Definitions) -> Option<Value> {
    let istio = [
        (
            "VirtualService",
            VirtualService::describe as fn(&mut Definitions) -> Value,
        ),
        ("DestinationRule", DestinationRule::describe),
        ("Gateway", Gateway::describe),
        ("ServiceEntry", ServiceEntry::describe),
    ];
    if let Some((_, describe)) = istio.iter().find(|(name, _)| *name == kind) {
        let spec = describe(to);
        return Some(to.object(kind, &spec));
    }
    let beside = [
        (
            "EndpointSlice",
            EndpointSlice::describe as fn(&mut Definitions) -> Value,
        ),
        ("Endpoints", Endpoints::describe),
    ];
    to.is_open = true;
    let own = match kind {
        "Service" | "Pod" => {
            let spec = if kind == "Service" {
                Service::describe(to)
            } else {
                Pod::describe(to)
            };
            json!({"type": "object", "properties": {"spec": spec}})
        }
        _ => beside.iter().find(|(name, _)| *name == kind)?.1(to),
    };
    let metadata = ObjectMeta::describe(to);
    to.is_open = false;
    Some(json!({"allOf": [own], "properties": {"kind": {"const": kind}, "metadata": metadata}, "required": ["kind"]}))
}

/// What has a schema.
pub trait Describe {
    /// Its schema, which may refer to definitions.
    fn describe(to: &mut Definitions) -> Value;
}

/// What narrows a field's type down.
pub trait Narrow {
    /// Adds to the type's schema.
    fn narrow(&self, schema: &mut Map<String, Value>);
}

/// A duration as Go writes them, [`crate::duration::parse`].
pub struct Duration;

impl Narrow for Duration {
    fn narrow(&self, schema: &mut Map<String, Value>) {
        let pattern = r"^(0|\+?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$";
        schema.insert("pattern".to_owned(), pattern.into());
        schema.insert("examples".to_owned(), json!(["500ms", "1.5s", "1h30m"]));
    }
}

impl<const N: usize> Narrow for [&str; N] {
    fn narrow(&self, schema: &mut Map<String, Value>) {
        schema.insert("enum".to_owned(), json!(self.as_slice()));
    }
}

impl Narrow for RangeInclusive<i64> {
    fn narrow(&self, schema: &mut Map<String, Value>) {
        schema.insert("minimum".to_owned(), (*self.start()).into());
        schema.insert("maximum".to_owned(), (*self.end()).into());
    }
}

/// A message's field: its name as protobuf has it or as JSON does where that does not follow, what it is for, and its schema.
pub struct Field {
    /// Without the prefix of a raw identifier.
    pub name: &'static str,
    /// The documentation's lines, one behind the other.
    pub about: &'static str,
    /// Of its type.
    pub schema: Value,
    /// What narrows it down.
    pub narrow: Option<&'static dyn Narrow>,
}

/// The messages that schemas refer to.
#[derive(Default)]
pub struct Definitions {
    definitions: BTreeMap<String, Value>,
    /// Whether messages may have fields that we do not read: Kubernetes' own.
    is_open: bool,
}

impl Definitions {
    /// A message by its Rust type, described once.
    pub fn message(&mut self, path: &str, about: &str, fields: impl FnOnce(&mut Self) -> Vec<Field>) -> Value {
        let name = path.rsplit("::").take(2).collect::<Vec<_>>();
        let name = name.into_iter().rev().collect::<Vec<_>>().join(".");
        let reference = json!({"$ref": format!("#/$defs/{name}")});
        if self.definitions.contains_key(&name) {
            return reference;
        }
        self.definitions.insert(name.clone(), Value::Null);
        let mut properties = Map::new();
        let mut other_spellings = Map::new();
        for field in fields(self) {
            let json_name: String = super::decode::json_spelling(field.name).collect();
            if json_name != field.name {
                let own = format!("#/$defs/{name}/properties/{json_name}");
                other_spellings.insert(format!("^{}$", field.name), json!({"$ref": own}));
            }
            let mut schema = described(field.schema, field.about);
            if let (Some(narrow), Some(schema)) = (field.narrow, schema.as_object_mut()) {
                narrow.narrow(schema);
            }
            properties.insert(json_name, schema);
        }
        let mut schema = Map::new();
        schema.insert("type".to_owned(), "object".into());
        schema.insert("properties".to_owned(), properties.into());
        if !other_spellings.is_empty() {
            schema.insert("patternProperties".to_owned(), other_spellings.into());
        }
        if !self.is_open {
            schema.insert("additionalProperties".to_owned(), false.into());
        }
        self.definitions.insert(name, described(schema.into(), about));
        reference
    }

    /// An object of Istio's: no field is passed over.
    fn object(&mut self, kind: &str, spec: &Value) -> Value {
        self.is_open = true;
        let metadata = ObjectMeta::describe(self);
        self.is_open = false;
        let versions = ISTIO_VERSIONS.map(|version| format!("{NETWORKING}/{version}"));
        json!({
            "type": "object",
            "properties": {
                "apiVersion": {"enum": versions},
                "kind": {"const": kind},
                "metadata": metadata,
                "spec": spec,
                "status": true,
            },
            "required": ["apiVersion", "kind", "metadata"],
            "additionalProperties": false,
        })
    }

    fn whole(self, title: &str, own: Value) -> Value {
        let mut schema = json!({"$schema": DRAFT, "title": title, "$defs": self.definitions});
        if let (Some(schema), Value::Object(own)) = (schema.as_object_mut(), own) {
            schema.extend(own);
        }
        schema
    }
}

/// With what it is for, if that is said.
fn described(mut schema: Value, about: &str) -> Value {
    if let (Some(schema), false) = (schema.as_object_mut(), about.trim().is_empty()) {
        schema.insert("description".to_owned(), about.trim().into());
    }
    schema
}

/// Types by the name that JSON Schema has for them.
macro_rules! plain {
    ($($type:ty: $schema:tt),* $(,)?) => {$(
        impl Describe for $type {
            fn describe(_: &mut Definitions) -> Value {
                json!($schema)
            }
        }
    )*};
}

plain!(
    String: {"type": "string"},
    bool: {"type": "boolean"},
    i64: {"type": "integer"},
    u32: {"type": "integer", "minimum": 0, "maximum": u32::MAX},
    f64: {"type": "number"},
    Map<String, Value>: {"type": "object"},
    Unread: {},
);

impl<T: Describe> Describe for Option<T> {
    fn describe(to: &mut Definitions) -> Value {
        T::describe(to)
    }
}

impl<T: Describe> Describe for Box<T> {
    fn describe(to: &mut Definitions) -> Value {
        T::describe(to)
    }
}

impl<T: Describe> Describe for Vec<T> {
    fn describe(to: &mut Definitions) -> Value {
        json!({"type": "array", "items": T::describe(to)})
    }
}

impl<T: Describe> Describe for BTreeMap<String, T> {
    fn describe(to: &mut Definitions) -> Value {
        json!({"type": "object", "additionalProperties": T::describe(to)})
    }
}
