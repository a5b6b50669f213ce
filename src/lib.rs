//! Istio's traffic management, decided per request on any stock Envoy.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod config;
pub mod finding;
