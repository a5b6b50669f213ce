//! `switchyard.wasm`.
