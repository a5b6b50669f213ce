//! From a plugin's JSON to what decides: the one way in, for the filter, the command, the tests and the fuzzers.

use crate::config::Options;
use crate::finding::Finding;
use crate::route::RouteTable;
pub use cache::Cache;

mod cache;
pub mod callbacks;
pub mod delay_queue;
pub mod filter_state;
mod kept;
mod objects;
pub mod sightings;
mod written;

/// A configuration that may run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plugin {
    /// The filter's limits and choices.
    pub options: Options,
    /// What decides.
    pub table: RouteTable,
    /// Whether the port that a request comes to is a service's: a sidecar listens for many.
    pub listens_for_all_ports: bool,
    /// The number under which it is counted while it is in use.
    pub generation: Option<u32>,
    /// What is to be said of it, nothing of which refuses it.
    pub findings: Vec<Finding>,
}

impl Plugin {
    /// Reads and compiles a configuration. One that may not run is refused with everything that is wrong with it.
    pub fn load(json: &[u8]) -> Result<Plugin, Vec<Finding>> {
        Cache::default().load(json.to_vec(), |_| false)
    }
}
