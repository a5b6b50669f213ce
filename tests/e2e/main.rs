//! Switchyard on a real Envoy, seen from outside.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod config;
mod containers;
mod delay;
mod explain;
mod expressions;
mod formats;
#[path = "../goldens/mod.rs"]
mod goldens;
mod hashing;
mod istio;
mod native_mirrors;
mod observability;
mod policies;
mod protocols;
mod refusals;
mod running;
mod scenarios;
mod support;
mod tls;
mod workers;
