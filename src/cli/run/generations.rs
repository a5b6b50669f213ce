//! Which configurations of the filter are in use. Each that is written gets a number, and the filter counts it under that number from its
//! first stream to the end of its last one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::admin::Stats;
use crate::metric::CONFIG_IN_USE;

/// What is asked of `/stats`.
pub(super) const IN_USE: &str = "type=Gauges&filter=switchyard_config_in_use";

/// The numbers that were given.
#[derive(Debug, Default)]
pub(super) struct Generations {
    /// By the name of the filter's configuration.
    current: BTreeMap<String, u32>,
    /// Of configurations that were replaced, and may still have streams.
    leaving: BTreeSet<u32>,
    /// Of those that had their time: nothing is kept for them any more.
    overdue: BTreeSet<u32>,
}

impl Generations {
    /// A number that nothing has, for a new configuration of that name.
    pub(super) fn renew(&mut self, name: &str) -> u32 {
        self.leave(name);
        let taken = |number: &u32| {
            self.current.values().any(|other| other == number)
                || self.leaving.contains(number)
                || self.overdue.contains(number)
        };
        let number = (1..).find(|number| !taken(number)).unwrap_or_default();
        self.current.insert(name.to_owned(), number);
        number
    }

    /// The configuration of that name is replaced, or gone.
    pub(super) fn leave(&mut self, name: &str) {
        self.leaving.extend(self.current.remove(name));
    }

    /// Forgets the numbers that [`IN_USE`] shows no stream for; whether none is left to wait for.
    pub(super) fn have_left(&mut self, stats: &Stats) -> bool {
        let in_use = |number: &u32| {
            let gauge = format!("wasmcustom.{}", CONFIG_IN_USE.with(&[&number.to_string()]));
            stats.get(&gauge).is_some_and(|count| count != "0")
        };
        self.leaving.retain(in_use);
        self.overdue.retain(in_use);
        self.leaving.is_empty()
    }

    /// Those that have not left by now are not waited for again.
    pub(super) fn give_up(&mut self) {
        self.overdue.append(&mut self.leaving);
    }

    /// Envoy is another one: it knows nothing of streams.
    pub(super) fn start_anew(&mut self) {
        self.leaving.clear();
        self.overdue.clear();
    }
}

/// The filter's configuration with its number, in the extension's message.
pub(super) fn numbered(extension: &Value, number: u32) -> Value {
    let mut extension = extension.clone();
    if let Some(Value::String(json)) = extension.pointer_mut("/typed_config/config/configuration/value")
        && json.starts_with('{')
    {
        json.insert_str(1, &format!("\"generation\":{number},"));
    }
    extension
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Config;

    fn in_use(numbers: &[(u32, &str)]) -> Stats {
        let gauge = |(number, count): &(u32, &str)| {
            let name = format!("wasmcustom.switchyard_config_in_use.generation.{number}");
            (name, count.to_string())
        };
        numbers.iter().map(gauge).collect()
    }

    #[test]
    fn a_number_is_given_again_when_its_streams_have_gone() {
        let mut generations = Generations::default();
        assert_eq!(
            (generations.renew("a"), generations.renew("b"), generations.renew("a")),
            (1, 2, 3)
        );
        assert!(!generations.have_left(&in_use(&[(1, "2"), (3, "1")])));
        assert_eq!(generations.renew("b"), 4);
        assert!(generations.have_left(&in_use(&[(1, "0"), (3, "1")])));
        assert_eq!(generations.renew("b"), 1);
    }

    #[test]
    fn a_configuration_that_never_had_a_stream_has_left() {
        let mut generations = Generations::default();
        generations.renew("a");
        generations.leave("a");
        assert!(generations.have_left(&Stats::new()));
    }

    #[test]
    fn who_had_his_time_is_not_waited_for_and_keeps_his_number() {
        let mut generations = Generations::default();
        generations.renew("a");
        generations.renew("a");
        generations.give_up();
        assert!(generations.have_left(&in_use(&[(1, "1")])));
        assert_eq!(generations.renew("b"), 3);
        generations.start_anew();
        assert_eq!(generations.renew("b"), 1);
    }

    #[test]
    fn the_filter_reads_the_number() {
        let json = r#"{"proxy":{},"options":{},"resources":[]}"#;
        let extension = json!({"typed_config": {"config": {"configuration": {"value": json}}}});
        let extension = numbered(&extension, 7);
        let json = extension.pointer("/typed_config/config/configuration/value").unwrap();
        let (config, findings) = Config::from_json(json.as_str().unwrap().as_bytes());
        assert_eq!((config.generation, findings), (Some(7), vec![]));
    }
}
