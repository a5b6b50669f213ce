//! Istio's traffic management, decided per request on any stock Envoy.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod config;
pub mod dice;
pub mod finding;
pub mod header_map;
pub mod hostname;
pub mod matcher;
pub mod request;
pub mod reserved;
