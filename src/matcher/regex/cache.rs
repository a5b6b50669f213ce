//! Expressions by their text: the same one is compiled once, however many rules have it.

use hashbrown::HashMap;

use super::{InvalidRegex, Regex};

/// Compiled expressions.
#[derive(Debug)]
pub struct Regexes {
    memory: usize,
    whole: HashMap<String, Result<Regex, InvalidRegex>>,
    anywhere: HashMap<String, Result<Regex, InvalidRegex>>,
}

impl Regexes {
    /// No expression yet; each may take `memory` bytes once compiled.
    pub fn new(memory: usize) -> Self {
        Regexes {
            memory,
            whole: HashMap::new(),
            anywhere: HashMap::new(),
        }
    }

    /// An expression for whole values.
    pub fn whole(&mut self, written: &str) -> Result<Regex, InvalidRegex> {
        let memory = self.memory;
        compiled(&mut self.whole, written, |written| Regex::new(written, memory))
    }

    /// An expression to look for anywhere in a value.
    pub fn anywhere(&mut self, written: &str) -> Result<Regex, InvalidRegex> {
        let memory = self.memory;
        compiled(&mut self.anywhere, written, |written| {
            Regex::unanchored(written, memory)
        })
    }
}

fn compiled(
    known: &mut HashMap<String, Result<Regex, InvalidRegex>>,
    written: &str,
    compile: impl Fn(&str) -> Result<Regex, InvalidRegex>,
) -> Result<Regex, InvalidRegex> {
    match known.get(written) {
        Some(regex) => regex.clone(),
        None => known
            .entry(written.to_owned())
            .or_insert_with(|| compile(written))
            .clone(),
    }
}
