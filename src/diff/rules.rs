//! A host's rules on one side, as sets of requests with what becomes of them.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::effect::Effect;
use crate::region::{Literal, Variable, literals};
use crate::route::{Route, RouteTable, Taker, VirtualHost};

/// What takes some of a host's requests: a rule, or what is left where there is none.
#[derive(Debug)]
pub(super) struct Entry<'t> {
    pub taker: Taker<'t>,
    pub literals: Vec<Literal<'t>>,
    /// The same number for the same conditions, on both sides.
    pub matches: usize,
    /// The same number for the same effect, on both sides.
    pub effect: usize,
}

/// A host's entries in order: the first whose conditions hold takes a request, and the last has none.
#[derive(Debug)]
pub(super) struct Rules<'t> {
    pub table: &'t RouteTable,
    pub entries: Vec<Entry<'t>>,
    numbers: HashMap<*const Route, usize>,
}

/// Numbers for conditions and effects, so that they are compared once.
#[derive(Debug, Default)]
pub(super) struct Numbers<'t> {
    matches: HashMap<u64, Vec<(Vec<Literal<'t>>, usize)>>,
    count: usize,
    effects: HashMap<Effect, usize>,
    by_number: Vec<Effect>,
    by_route: HashMap<*const Route, usize>,
}

impl<'t> Rules<'t> {
    pub fn new(table: &'t RouteTable, host: Option<&'t VirtualHost>, numbers: &mut Numbers<'t>) -> Self {
        let mut takers: Vec<(Taker, Vec<Literal>)> = Vec::new();
        if host.is_some_and(|host| host.https_redirect) {
            takers.push((Taker::HttpsRedirect, vec![Literal::is(Variable::Scheme, &b"http"[..])]));
        }
        match host.and_then(|host| host.routes.as_ref()) {
            Some(routes) => {
                takers.extend(
                    routes
                        .iter()
                        .map(|route| (Taker::Rule(route), literals(&route.matches))),
                );
                takers.push((Taker::Nothing, Vec::new()));
            }
            None => {
                let cluster = host.and_then(|host| host.default_cluster.as_deref());
                takers.push((Taker::Default(cluster), Vec::new()));
            }
        }
        let mut rules = Rules {
            table,
            entries: Vec::with_capacity(takers.len()),
            numbers: HashMap::new(),
        };
        for (number, (taker, literals)) in takers.into_iter().enumerate() {
            if let Taker::Rule(route) = taker {
                // A gateway may have a rule twice; the first of them takes the requests.
                rules.numbers.entry(Arc::as_ptr(route)).or_insert(number);
            }
            rules.entries.push(Entry {
                matches: numbers.of_literals(&literals),
                effect: numbers.of_taker(taker),
                taker,
                literals,
            });
        }
        rules
    }

    /// What makes entries of both sides each other's like.
    pub fn keys(&self) -> Vec<(usize, usize)> {
        self.entries.iter().map(|entry| (entry.matches, entry.effect)).collect()
    }

    /// The number of what takes a request, which has to be one of this host's.
    pub fn number(&self, taker: Taker) -> Option<usize> {
        match taker {
            Taker::HttpsRedirect => Some(0),
            Taker::Default(_) | Taker::Nothing => self.entries.len().checked_sub(1),
            Taker::Rule(route) => self.numbers.get(&Arc::as_ptr(route)).copied(),
        }
    }
}

impl<'t> Numbers<'t> {
    pub fn effect(&self, number: usize) -> Option<&Effect> {
        self.by_number.get(number)
    }

    pub fn of_taker(&mut self, taker: Taker) -> usize {
        let Taker::Rule(route) = taker else {
            return self.of_effect(Effect::of(taker));
        };
        if let Some(known) = self.by_route.get(&Arc::as_ptr(route)) {
            return *known;
        }
        let number = self.of_effect(Effect::of(taker));
        self.by_route.insert(Arc::as_ptr(route), number);
        number
    }

    fn of_effect(&mut self, effect: Effect) -> usize {
        if let Some(known) = self.effects.get(&effect) {
            return *known;
        }
        let number = self.by_number.len();
        self.by_number.push(effect.clone());
        self.effects.insert(effect, number);
        number
    }

    fn of_literals(&mut self, literals: &[Literal<'t>]) -> usize {
        let mut hasher = DefaultHasher::new();
        for literal in literals {
            (literal.variable(), literal.is_wanted(), literal.text()).hash(&mut hasher);
        }
        let alike = self.matches.entry(hasher.finish()).or_default();
        if let Some((_, number)) = alike.iter().find(|(known, _)| known == literals) {
            return *number;
        }
        let number = self.count;
        self.count += 1;
        alike.push((literals.to_vec(), number));
        number
    }
}
