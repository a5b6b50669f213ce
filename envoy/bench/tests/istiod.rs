//! The native side is istiod's, where what istiod made of the same shapes is there.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::io::Read;
use std::path::{Path, PathBuf};

use bench::istiod::route_configuration;
use bench::shape::Shape;
use serde_json::Value;

fn published() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/bench");
    path.exists().then_some(path)
}

fn read(path: &Path) -> String {
    let mut text = String::new();
    let file = std::fs::File::open(path).unwrap();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    text
}

fn resources(path: &Path) -> Vec<Value> {
    let documents = switchyard::yaml::documents(&read(path))
        .into_iter()
        .map(|node| serde_json::to_value(node.unwrap()).unwrap())
        .collect::<Vec<_>>();
    documents.into_iter().filter(|value| !value.is_null()).collect()
}

#[test]
fn native_routes_are_istiods() {
    let Some(published) = published() else { return };
    for shape in ["users", "paths", "mixed", "hosts"] {
        for count in [2, 100, 1_000] {
            let of = |kind: &str| published.join(format!("{shape}-{count}.{kind}.gz"));
            let istiod: Value = serde_json::from_str(&read(&of("routes.json"))).unwrap();
            let own = route_configuration(&resources(&of("yaml")));
            assert_eq!(
                own["virtual_hosts"].as_array().unwrap().len(),
                istiod["virtual_hosts"].as_array().unwrap().len()
            );
            for (own, istiod) in own["virtual_hosts"]
                .as_array()
                .unwrap()
                .iter()
                .zip(istiod["virtual_hosts"].as_array().unwrap())
            {
                assert_eq!(own, istiod, "{shape} {count}");
            }
            assert!(own == istiod, "{shape} {count}");
        }
    }
}

#[test]
fn shapes_are_the_published_ones() {
    let Some(published) = published() else { return };
    for shape in [Shape::Users, Shape::Paths, Shape::Hosts] {
        for count in [2, 100] {
            let path = published.join(format!("{}-{count}.yaml.gz", shape.name()));
            let rules = |resources: &[Value]| {
                let mut all = resources.iter().filter(|object| object["kind"] == "VirtualService");
                all.by_ref().map(|object| object["spec"].clone()).collect::<Vec<_>>()
            };
            assert_eq!(
                rules(&shape.rules(count, [1, 2, 3]).resources),
                rules(&resources(&path)),
                "{shape:?} {count}"
            );
        }
    }
}
