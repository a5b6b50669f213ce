//! Every protocol that Envoy carries, through real clients, with and without faults, mirrors and header operations.

mod beside;
mod grpc;
mod large;
mod streams;
mod versions;
mod websocket;

use crate::support::admin::Stats;

fn mirrors_sent(stats: &Stats) -> u64 {
    stats.sum("wasmcustom.switchyard_mirrored_total", "")
}

fn mirrors_skipped(stats: &Stats) -> u64 {
    stats.get("wasmcustom.switchyard_mirrors_skipped_total")
}
