//! A plugin's JSON of any kind: refused with findings, or it decides.
#![no_main]

use libfuzzer_sys::fuzz_target;
use switchyard::header::map::HeaderMap;
use switchyard::plugin::Plugin;
use switchyard_fuzz::ask;

fuzz_target!(|json: &[u8]| {
    let Ok(plugin) = Plugin::load(json) else {
        return;
    };
    for names in plugin.table.domains() {
        for name in names {
            let pairs = [
                (":authority", &*name),
                (":path", "/a?b=c"),
                (":method", "GET"),
                (":scheme", "http"),
            ];
            ask(&plugin, &pairs.into_iter().collect::<HeaderMap>(), 1);
        }
    }
});
