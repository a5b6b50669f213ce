//! What documents mean, without asking about any request in particular.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::Format;
use super::side::Side;
use crate::cli::{Failure, Status, progress};
use crate::diff::callers::{self, Asked, Caller};
use crate::diff::documents::compare;
use crate::diff::messages::{MessageChange, messages};
use crate::diff::{Change, Class, Difference, RuleChange};
use crate::envoy;

mod text;

/// All that differs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Meaning {
    pub is_same: bool,
    /// Whether documents tell more callers apart than were compared.
    pub are_more_callers: bool,
    pub hosts: Vec<Host>,
    pub clusters: Vec<MessageChange>,
    pub listeners: Vec<MessageChange>,
    pub options: Vec<MessageChange>,
}

/// Hosts of which the same is to be said, as one caller has them.
#[derive(Serialize)]
pub(super) struct Host {
    pub hosts: Vec<String>,
    pub caller: Caller,
    pub rules: Vec<RuleChange>,
    pub classes: Vec<Named>,
}

/// A class, with what changes.
#[derive(Serialize)]
pub(super) struct Named {
    #[serde(flatten)]
    pub class: Class,
    pub changes: Vec<Change>,
}

pub(super) fn run(old: &mut Side, new: &mut Side, asked: &Asked, output: Format) -> Result<Status, Failure> {
    let sides = [old.config_and_registry(), new.config_and_registry()];
    let (callers, are_more_callers) = callers::callers(sides, asked);
    let bar = RefCell::new(None);
    let differences = compare(&mut old.documents, &mut new.documents, &callers, &mut |done, total| {
        let mut bar = bar.borrow_mut();
        let bar = bar.get_or_insert_with(|| progress::bar(total, "rules"));
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    });
    if let Some(bar) = bar.take() {
        bar.finish_and_clear();
    }
    let hosts = together(differences);
    let (clusters, listeners) = beside(old, new, &callers);
    let options = options(old, new);
    let are_alike = hosts.iter().all(|host| host.classes.is_empty());
    let meaning = Meaning {
        is_same: are_alike && clusters.is_empty() && listeners.is_empty() && options.is_empty(),
        are_more_callers,
        hosts,
        clusters,
        listeners,
        options,
    };
    super::print(&text::print(&meaning, old, new), &meaning, output)?;
    Ok(if meaning.is_same { Status::Done } else { Status::Differs })
}

impl Host {
    /// Whether everything but its name, and the requests that show it, is the same.
    fn is_like(&self, other: &Host) -> bool {
        let sides = |host: &Host| -> Vec<_> {
            let classes = host.classes.iter().map(|named| &named.class);
            classes.map(|class| (class.old.clone(), class.new.clone())).collect()
        };
        self.caller == other.caller && self.rules == other.rules && sides(self) == sides(other)
    }

    fn new(caller: Caller, difference: Difference) -> Self {
        let named = |class: Class| Named {
            changes: match (&class.old, &class.new) {
                (Some(old), Some(new)) => old.effect.changes(&new.effect),
                _ => Vec::new(),
            },
            class,
        };
        Host {
            hosts: vec![difference.host],
            caller,
            rules: difference.rules,
            classes: difference.classes.into_iter().map(named).collect(),
        }
    }
}

/// What is the same for several hosts is said once.
fn together(differences: Vec<(Caller, Difference)>) -> Vec<Host> {
    let mut all: Vec<Host> = Vec::new();
    for (caller, difference) in differences {
        let host = Host::new(caller, difference);
        match all.last_mut().filter(|last| last.is_like(&host)) {
            Some(last) => last.hosts.extend(host.hosts),
            None => all.push(host),
        }
    }
    all
}

/// Clusters and gateways' listeners. Callers have clusters of their own only where a DestinationRule is not for everyone.
fn beside(old: &Side, new: &Side, callers: &[Caller]) -> (Vec<MessageChange>, Vec<MessageChange>) {
    let for_some = |side: &Side| {
        let rules = &side.documents.config().resources.destination_rules;
        rules
            .iter()
            .any(|rule| !rule.spec.export_to.is_empty() || rule.spec.workload_selector.is_some())
    };
    let own = callers.iter().map(|caller| (&caller.namespace, &caller.labels));
    let own: BTreeSet<_> = if for_some(old) || for_some(new) {
        own.collect()
    } else {
        own.take(1).collect()
    };
    let (mut clusters, mut listeners) = (Vec::new(), Vec::new());
    let add = |to: &mut Vec<MessageChange>, old: &BTreeMap<String, Value>, new: &BTreeMap<String, Value>| {
        let found = messages(old, new);
        let fresh: Vec<MessageChange> = found.into_iter().filter(|change| !to.contains(change)).collect();
        to.extend(fresh);
    };
    for (namespace, labels) in own {
        let caller = |name: &str, gateway| envoy::Caller {
            name: name.to_owned(),
            namespace: namespace.clone(),
            labels: if gateway { BTreeMap::new() } else { labels.clone() },
            gateway,
            ..envoy::Caller::default()
        };
        let both = [caller("sidecar", false), caller("gateway", true)];
        let (old, new) = (old.messages(&both), new.messages(&both));
        add(&mut clusters, &old.clusters, &new.clusters);
        add(&mut listeners, &old.listeners, &new.listeners);
    }
    (clusters, listeners)
}

/// The filter's own choices and limits.
fn options(old: &Side, new: &Side) -> Vec<MessageChange> {
    if old.documents.config().options == new.documents.config().options {
        return Vec::new();
    }
    let named = |side: &Side| BTreeMap::from([("options".to_owned(), Value::Object(side.options.clone()))]);
    messages(&named(old), &named(new))
}
