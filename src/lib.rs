//! Istio's traffic management, decided per request on any stock Envoy.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod config;
pub mod cors;
pub mod dice;
pub mod duration;
pub mod fault;
pub mod finding;
pub mod format;
pub mod header_edits;
pub mod header_map;
pub mod header_parser;
pub mod hostname;
pub mod matcher;
pub mod percent;
pub mod redirect;
pub mod request;
pub mod reserved;
pub mod retry;
pub mod rewrite;
