//! From a plugin's JSON to what decides: the one way in, for the filter, the command, the tests and the fuzzers.

use crate::config::{Config, Options};
use crate::finding::{Finding, refuses};
use crate::matcher::Regexes;
use crate::registry::Registry;
use crate::route::RouteTable;
use crate::validate::validate_with;

pub mod callbacks;
pub mod delay_queue;
pub mod filter_state;
pub mod sightings;

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
        let (config, mut findings) = Config::from_json(json);
        let mut regexes = Regexes::new(usize::try_from(config.options.max_regex_bytes).unwrap_or_default());
        findings.extend(validate_with(&config, &mut regexes));
        if refuses(&findings) {
            return Err(findings);
        }
        let registry = Registry::new(&config);
        let (table, invalid) = RouteTable::compile(&config, &registry, &mut regexes);
        findings.extend(invalid);
        let mut options = config.options;
        options
            .explain_header
            .iter_mut()
            .for_each(|name| name.make_ascii_lowercase());
        let proxy = &config.proxy;
        Ok(Plugin {
            options,
            listens_for_all_ports: proxy.port.is_none() && proxy.gateways.iter().any(|gateway| gateway == "mesh"),
            table,
            generation: config.generation,
            findings,
        })
    }
}
