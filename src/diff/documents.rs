//! Documents of both sides, for every caller that they tell apart.

use std::collections::HashSet;

use super::callers::Caller;
use super::{Class, Comparison, Difference, RuleChange, Side};
use crate::config::Config;
use crate::explain::RuleReference;
use crate::finding::{Finding, refuses};
use crate::matcher::Regexes;
use crate::registry::Registry;
use crate::route::RouteTable;
use crate::validate::validate_with;

/// Documents that may run, for whichever caller.
#[derive(Debug)]
pub struct Documents {
    config: Config,
    registry: Registry,
    regexes: Regexes,
}

impl Documents {
    /// Reads a plugin's JSON. One that may not run is refused with everything that is wrong with it.
    pub fn read(json: &[u8]) -> Result<Documents, Vec<Finding>> {
        let (config, mut findings) = Config::from_json(json);
        let mut regexes = Regexes::new(usize::try_from(config.options.max_regex_bytes).unwrap_or_default());
        findings.extend(validate_with(&config, &mut regexes));
        if refuses(&findings) {
            return Err(findings);
        }
        Ok(Documents {
            registry: Registry::new(&config),
            config,
            regexes,
        })
    }

    /// What was read.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The services among it.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// What decides over a caller's requests.
    pub fn table(&mut self, caller: &Caller) -> RouteTable {
        self.config.proxy = caller.proxy(&self.config.proxy.domain);
        RouteTable::compile(&self.config, &self.registry, &mut self.regexes).0
    }
}

/// What differs for each of the callers, the same thing once: for the first caller it holds for. `tick` hears of how many rules how many
/// were looked at, caller by caller.
pub fn compare(
    old: &mut Documents,
    new: &mut Documents,
    callers: &[Caller],
    tick: &mut dyn FnMut(usize, usize),
) -> Vec<(Caller, Difference)> {
    let mut told = HashSet::new();
    let mut all = Vec::new();
    for caller in callers {
        let (before, after) = (old.table(caller), new.table(caller));
        for mut difference in Comparison::new(&before, &after, caller.port).differences(tick) {
            let host = difference.host.clone();
            difference
                .rules
                .retain(|change| told.insert(Told::Rule(host.clone(), change.clone())));
            difference
                .classes
                .retain(|class| told.insert(Told::class(&host, class, caller.port)));
            if !difference.rules.is_empty() || !difference.classes.is_empty() {
                all.push((caller.clone(), difference));
            }
        }
    }
    all
}

/// What was said before.
#[derive(PartialEq, Eq, Hash)]
enum Told {
    Rule(String, RuleChange),
    Class(String, [Option<(Option<RuleReference>, String)>; 2]),
}

impl Told {
    /// Where a destination has the listener's own port, another port is no other class.
    fn class(host: &str, class: &Class, port: u16) -> Self {
        let effect = |side: &Side| {
            let text = format!("{:?}", side.effect);
            text.replace(&format!("outbound|{port}|"), "outbound|*|")
        };
        let told = |side: &Option<Side>| side.as_ref().map(|side| (side.rule.clone(), effect(side)));
        Told::Class(host.to_owned(), [told(&class.old), told(&class.new)])
    }
}
