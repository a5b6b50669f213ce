//! `switchyard.wasm`: the shell between Envoy and the library that decides.
//!
//! ```text
//! root (one per configuration) ──▶ stream (one per request)      host: the only file with host calls
//!   └──────────▶ shared: delays, mirrors, metrics ◀──┘
//! ```

use proxy_wasm::types::LogLevel;

mod copies;
mod host;
mod metrics;
mod mirrors;
mod response;
mod root;
mod shared;
mod stream;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|id| Box::new(root::Root::new(id)));
}}
