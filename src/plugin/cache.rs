//! From one configuration to the next.

use super::Plugin;
use super::kept::Kept;
use super::sightings::Sighting;
use crate::config::Config;
use crate::finding::{Finding, refuses};
use crate::matcher::Regexes;
use crate::route::RouteTable;
use crate::validate::validate_with;

/// What one configuration leaves for the next one that is loaded in the same place. It makes loading faster and nothing else: nothing of it
/// shows in what is loaded.
#[derive(Debug, Default)]
pub struct Cache {
    regexes: Regexes,
    kept: Kept,
}

impl Cache {
    /// As [`Plugin::load`]. What `is_judged` was found to be without error before, and is not looked at again; nor is it said again what
    /// was to be said of it. The text's memory is free for what is made of it.
    pub fn load(&mut self, json: Vec<u8>, is_judged: impl FnOnce(Sighting) -> bool) -> Result<Plugin, Vec<Finding>> {
        let mut search = self.kept.search();
        let skimmed = Config::skim(&json, &mut |text| search.length(text));
        let is_judged = is_judged(Sighting::new(search.hash(&json)));
        let tree = Config::parse(&json, skimmed, is_judged)?;
        let nothing = Kept::default();
        let before = if is_judged { &self.kept } else { &nothing };
        let (mut config, mut findings) = Config::without_resources(&tree);
        config.resources.is_for_routes = is_judged;
        let reading = before.read(&tree, search, &mut config.resources, &mut findings);
        drop(tree);
        drop(json);
        let memory = usize::try_from(config.options.max_regex_bytes).unwrap_or_default();
        self.regexes.renew(memory);
        if !is_judged {
            findings.extend(validate_with(&config, &mut self.regexes));
        }
        if refuses(&findings) {
            return Err(findings);
        }
        self.kept.hand_over(&reading, &mut config.resources);
        config.resources.leave_out_clusters();
        let registry = self.kept.registry(&reading, &config);
        let (table, routes, invalid) = RouteTable::compile_rest(&config, &registry, &reading.before, &mut self.regexes);
        findings.extend(invalid);
        self.kept
            .keep(reading, config.resources, registry, &routes, &table.domains);
        let mut options = config.options;
        let explain_header = options.explain_header.iter_mut();
        explain_header.for_each(|name| name.make_ascii_lowercase());
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

#[cfg(test)]
mod tests;
