//! A VirtualService's matches in order, as sets of requests.

use std::collections::BTreeSet;

use crate::config::virtual_service::{HTTPMatchRequest, VirtualService};
use crate::config::{Config, Object};
use crate::matcher::{Regexes, RouteMatch};
use crate::region::{self, Literal, Variable};
use crate::route::{Expanded, ExpandedRule, Place, expand, gateway_name};

/// The matches of one VirtualService, those of its delegates in their place.
pub(super) struct Rules<'a> {
    root: &'a Object<VirtualService>,
    gateways: Vec<String>,
    matches: Vec<Match<'a>>,
}

/// One entry of a rule's `match`, or a rule without any.
struct Match<'a> {
    object: &'a Object<VirtualService>,
    /// The rule's number, counted through all rules.
    number: usize,
    /// Where the rule stands in its object.
    http: usize,
    /// The rule it is delegated by.
    by: Option<usize>,
    entry: Option<usize>,
    /// None where an expression does not compile.
    route_match: Option<RouteMatch>,
    written: HTTPMatchRequest,
    rule: &'a ExpandedRule<'a>,
}

/// Hands over the rules of each VirtualService that has hosts, and of those that nobody delegates to.
pub(super) fn each(config: &Config, mut look: impl FnMut(&Rules)) {
    let mut regexes = Regexes::new(usize::try_from(config.options.max_regex_bytes).unwrap_or_default());
    let mut all = expand(config);
    let used: BTreeSet<usize> = all
        .iter()
        .flat_map(|expanded| expanded.rules.iter().filter_map(|rule| rule.delegate))
        .map(|(leaf, _)| leaf.resource)
        .collect();
    let leaves = config
        .resources
        .virtual_services
        .iter()
        .filter(|object| object.spec.hosts.is_empty());
    all.extend(
        leaves
            .filter(|leaf| !used.contains(&leaf.resource))
            .map(Expanded::alone),
    );
    for expanded in all.iter().filter(|expanded| is_whole(expanded)) {
        look(&Rules::new(expanded, &mut regexes));
    }
}

/// Whether the conditions were all read: one that is left out would take more than was written.
fn is_whole(expanded: &Expanded) -> bool {
    let leaves = expanded.rules.iter().filter_map(|rule| rule.delegate);
    let misread = leaves
        .flat_map(|(leaf, _)| &leaf.misread)
        .chain(&expanded.object.misread);
    misread.into_iter().all(|path| {
        let within = path.strip_prefix("http[").and_then(|rest| rest.split_once("]."));
        let field = within.map(|(_, field)| field.split(['.', '[']).next().unwrap_or_default());
        // An unknown field may be a `match` with a typing error.
        field.is_some_and(|field| crate::config::nearest(field, &["match", "delegate"]).is_none())
    })
}

impl<'a> Rules<'a> {
    fn new(expanded: &'a Expanded<'a>, regexes: &mut Regexes) -> Self {
        let root = expanded.object;
        let namespace = &root.metadata.namespace;
        let mut gateways: Vec<String> = root
            .spec
            .gateways
            .iter()
            .map(|name| gateway_name(name, namespace))
            .collect();
        if gateways.is_empty() {
            gateways.push("mesh".to_owned());
        }
        let mut matches = Vec::new();
        for (number, rule) in expanded.rules.iter().enumerate() {
            let (object, http) = rule.delegate.unwrap_or((root, rule.http));
            let mut compile = |index: usize, entry: &HTTPMatchRequest| {
                let mut findings = Vec::new();
                let mut place = Place {
                    object,
                    rule: http,
                    regexes,
                    findings: &mut findings,
                };
                let compiled = place.route_match(index, entry, None);
                findings.is_empty().then_some(compiled)
            };
            let written = &rule.rule.r#match;
            let entries: Vec<(Option<usize>, HTTPMatchRequest)> = if written.is_empty() {
                vec![(None, HTTPMatchRequest::default())]
            } else {
                written
                    .iter()
                    .cloned()
                    .enumerate()
                    .map(|(index, entry)| (Some(index), entry))
                    .collect()
            };
            matches.extend(entries.into_iter().map(|(entry, written)| Match {
                object,
                number,
                http,
                by: rule.delegate.map(|_| rule.http),
                entry,
                route_match: compile(entry.unwrap_or_default(), &written),
                written,
                rule,
            }));
        }
        Rules {
            root,
            gateways,
            matches,
        }
    }

    pub fn len(&self) -> usize {
        self.matches.len()
    }

    /// The gateways it is for, in full; `mesh` among them.
    pub fn gateways(&self) -> &[String] {
        &self.gateways
    }

    /// Whether a match is for a gateway.
    pub fn applies(&self, index: usize, gateway: &str) -> bool {
        self.matches.get(index).is_some_and(|entry| {
            let gateways = &entry.written.gateways;
            let namespace = &self.root.metadata.namespace;
            gateways.is_empty() || gateways.iter().any(|name| gateway_name(name, namespace) == gateway)
        })
    }

    /// All of a match's conditions; none where an expression does not compile.
    pub fn literals(&self, index: usize) -> Option<Vec<Literal<'_>>> {
        let entry = self.matches.get(index)?;
        let mut literals = region::literals(entry.route_match.as_ref()?);
        // Who calls counts only where no gateways are named.
        if entry.written.gateways.is_empty() {
            let labels = entry.written.source_labels.iter();
            literals.extend(labels.map(|(name, value)| Literal::is(Variable::SourceLabel(name), value.as_bytes())));
            let namespace = entry.written.source_namespace.as_bytes();
            if !namespace.is_empty() {
                literals.push(Literal::is(Variable::SourceNamespace, namespace));
            }
        }
        Some(literals)
    }

    /// The compiled match.
    pub fn route_match(&self, index: usize) -> Option<&RouteMatch> {
        self.matches.get(index)?.route_match.as_ref()
    }

    /// The match as it was written.
    pub fn written(&self, index: usize) -> Option<&HTTPMatchRequest> {
        self.matches.get(index).map(|entry| &entry.written)
    }

    /// The rule of a match.
    pub fn rule(&self, index: usize) -> Option<&ExpandedRule<'a>> {
        self.matches.get(index).map(|entry| entry.rule)
    }

    /// The first match of each rule.
    pub fn first_matches(&self) -> impl Iterator<Item = usize> {
        let mut last = None;
        let is_first = move |entry: &Match| last.replace(entry.number) != Some(entry.number);
        let mut is_first = is_first;
        self.matches
            .iter()
            .enumerate()
            .filter_map(move |(index, entry)| is_first(entry).then_some(index))
    }

    /// The matches of the rule that a match belongs to.
    pub fn matches_of(&self, index: usize) -> impl Iterator<Item = usize> {
        let number = self.matches.get(index).map(|entry| entry.number);
        let same = move |(_, entry): &(usize, &Match)| Some(entry.number) == number;
        self.matches.iter().enumerate().filter(same).map(|(index, _)| index)
    }

    /// The object in which a match is written.
    pub fn object(&self, index: usize) -> &'a Object<VirtualService> {
        self.matches.get(index).map_or(self.root, |entry| entry.object)
    }

    /// Where a match stands, unless its rule has none, or it is made up of a root's and a delegate's.
    pub fn match_path(&self, index: usize) -> Option<String> {
        let entry = self.matches.get(index).filter(|entry| entry.by.is_none())?;
        Some(format!("http[{}].match[{}]", entry.http, entry.entry?))
    }

    /// Where the rule of a match stands.
    pub fn rule_path(&self, index: usize) -> String {
        format!("http[{}]", self.matches.get(index).map_or(0, |entry| entry.http))
    }

    /// Where a match stands, or its rule.
    pub fn path(&self, index: usize) -> String {
        self.match_path(index).unwrap_or_else(|| self.rule_path(index))
    }

    /// A match as messages about an object name it.
    pub fn place(&self, index: usize, about: &Object<VirtualService>) -> String {
        let object = self.object(index);
        let path = self.path(index);
        if object.resource == about.resource {
            path
        } else {
            format!("{path} of {}", super::name(object))
        }
    }

    /// ` where x delegates to it`, for a rule of a delegate.
    pub fn by_whom(&self, index: usize) -> String {
        let by = self.matches.get(index).and_then(|entry| entry.by);
        by.map(|http| format!(" where {} http[{http}] delegates to it", super::name(self.root)))
            .unwrap_or_default()
    }
}
