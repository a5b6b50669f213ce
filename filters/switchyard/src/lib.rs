//! `switchyard.wasm`: the shell between Envoy and the library that decides.
//!
//! ```text
//! lib ── root (one per configuration) ── stream (one per request)
//!                │                          │
//!              delays, mirrors, metrics ◀───┘   host: the only file with host calls
//! ```

use proxy_wasm::types::LogLevel;

mod host;
mod metrics;
mod mirrors;
mod root;
mod stream;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|id| Box::new(root::Root::new(id)));
}}
