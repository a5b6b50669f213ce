//! Istio's traffic management, decided per request on any stock Envoy.
//!
//! ```text
//! plugin JSON ──config──▶ Config ──route──▶ RouteTable                 once per configuration; every fault, with its path
//! live request ──▶ decide(table, request, dice) ──▶ Decision           once per request; pure, total
//! Decision ──▶ request_edits, local_reply, response_edits, mirrors     what to tell Envoy
//! ```
//!
//! Nothing here knows of hosts, clocks, files or chance: the filter, the command and the tests bring their own.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod action;
pub mod analyze;
pub mod callbacks;
#[cfg(feature = "cli")]
pub mod cli;
pub mod config;
pub mod cors;
pub mod decision;
pub mod delay_queue;
pub mod destination_rule;
pub mod dice;
pub mod downstream;
pub mod duration;
#[cfg(feature = "cli")]
pub mod envoy;
pub mod explain;
pub mod fault;
pub mod filter_state;
pub mod finding;
pub mod format;
pub mod hash_policy;
pub mod header_edits;
pub mod header_map;
pub mod header_parser;
pub mod hostname;
pub mod local_reply;
pub mod matcher;
pub mod metric;
pub mod mirror;
pub mod normalize;
pub mod percent;
pub mod plugin;
pub mod protocol;
pub mod redirect;
pub mod region;
pub mod registry;
pub mod request;
pub mod reserved;
pub mod retry;
pub mod rewrite;
pub mod route;
pub mod sightings;
pub mod upstream_request;
pub mod validate;
#[cfg(feature = "cli")]
pub mod yaml;
