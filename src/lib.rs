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
#[cfg(feature = "cli")]
pub mod cli;
pub mod config;
pub mod decision;
pub mod destination_rule;
pub mod dice;
pub mod diff;
pub mod duration;
#[cfg(feature = "cli")]
pub mod envoy;
pub mod explain;
pub mod finding;
pub mod header;
pub mod hostname;
pub mod matcher;
pub mod metric;
pub mod plugin;
pub mod region;
pub mod registry;
pub mod request;
pub mod reserved;
pub mod route;
pub mod validate;
#[cfg(feature = "cli")]
pub mod yaml;
