//! Any headers, in the host's own form, against a configuration of the goldens.
#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use switchyard::header::map::HeaderMap;
use switchyard::plugin::Plugin;
use switchyard_fuzz::{ask, plugin_json};

/// Every mixed golden that loads, by name.
static PLUGINS: LazyLock<Vec<Plugin>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/golden/mix");
    let mut folders: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    let load = |folder: &std::path::PathBuf| {
        let text = std::fs::read_to_string(folder.join("input.yaml")).unwrap();
        Plugin::load(&plugin_json(&text)).ok()
    };
    folders.iter().filter_map(load).collect()
});

/// Hosts of the goldens, for a fuzzer that would be long in finding them.
const HOSTS: [&str; 4] = [
    "reviews",
    "ratings.default.svc.cluster.local",
    "payment:8080",
    "reviews:9080",
];

fuzz_target!(|data: &[u8]| {
    let [plugin, host, seed, wire @ ..] = data else {
        return;
    };
    let Some(sent) = HeaderMap::from_wire(wire.to_vec()) else {
        return;
    };
    let Some(plugin) = PLUGINS.get(usize::from(*plugin) % PLUGINS.len()) else {
        return;
    };
    let mut headers = HeaderMap::default();
    if let Some(host) = HOSTS.get(usize::from(*host)) {
        headers.push(":authority", host.as_bytes());
    }
    for (name, value) in sent.iter() {
        if let Ok(name) = std::str::from_utf8(name) {
            headers.push(name, value);
        }
    }
    ask(plugin, &headers, u64::from(*seed));
});
