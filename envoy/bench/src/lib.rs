//! `make bench`: what a request costs with `switchyard.wasm`, and with the routes that istiod makes for the same rules.
//!
//! ```text
//! shape ──▶ site: one Envoy, a listener for each side ──▶ rounds of load, side by side ──▶ report
//! ```

// A JSON value without the field that is asked for is null; and what runs here takes no worker down.
#![allow(clippy::indexing_slicing)]

pub mod bench;
pub mod configuration;
pub mod envoy;
pub mod features;
pub mod istiod;
pub mod load;
pub mod measure;
pub mod plot;
pub mod report;
pub mod results;
pub mod routes;
pub mod shape;
pub mod site;
