//! A manifest of any text: every document is read or refused, and what is read is checked.
#![no_main]

use libfuzzer_sys::fuzz_target;
use switchyard::analyze::analyze;
use switchyard::config::Config;
use switchyard::registry::Registry;
use switchyard::validate::validate;
use switchyard_fuzz::plugin_json;

fuzz_target!(|text: &str| {
    let (config, _) = Config::from_json(&plugin_json(text));
    let _ = validate(&config);
    let _ = analyze(&config, &Registry::new(&config));
});
