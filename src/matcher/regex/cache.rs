//! Expressions by their text: the same one is compiled once, however many rules have it.

use hashbrown::HashMap;

use super::{InvalidRegex, Regex};

/// Compiled expressions.
#[derive(Debug, Default)]
pub struct Regexes {
    memory: usize,
    whole: Compiled,
    anywhere: Compiled,
}

/// Those that were asked for, and those that another configuration had.
#[derive(Debug, Default)]
struct Compiled {
    known: HashMap<String, Result<Regex, InvalidRegex>>,
    before: HashMap<String, Result<Regex, InvalidRegex>>,
}

impl Regexes {
    /// No expression yet; each may take `memory` bytes once compiled.
    pub fn new(memory: usize) -> Self {
        Regexes {
            memory,
            ..Regexes::default()
        }
    }

    /// Begins anew. Those that were asked for so far are at hand if they are asked for again before the next beginning.
    pub fn renew(&mut self, memory: usize) {
        if memory != self.memory {
            *self = Regexes::new(memory);
        }
        self.whole.renew();
        self.anywhere.renew();
    }

    /// An expression for whole values.
    pub fn whole(&mut self, written: &str) -> Result<Regex, InvalidRegex> {
        self.whole.get(written, |written| Regex::new(written, self.memory))
    }

    /// An expression to look for anywhere in a value.
    pub fn anywhere(&mut self, written: &str) -> Result<Regex, InvalidRegex> {
        self.anywhere
            .get(written, |written| Regex::unanchored(written, self.memory))
    }
}

impl Compiled {
    fn renew(&mut self) {
        self.before = std::mem::take(&mut self.known);
    }

    fn get(
        &mut self,
        written: &str,
        compile: impl Fn(&str) -> Result<Regex, InvalidRegex>,
    ) -> Result<Regex, InvalidRegex> {
        if let Some(regex) = self.known.get(written) {
            return regex.clone();
        }
        let before = self.before.remove(written);
        let regex = before.unwrap_or_else(|| compile(written));
        self.known.insert(written.to_owned(), regex.clone());
        regex
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_same(a: &Regex, b: &Regex) -> bool {
        std::ptr::eq(a.as_str(), b.as_str())
    }

    #[test]
    fn an_expression_is_kept_while_each_configuration_has_it() {
        let mut regexes = Regexes::new(1 << 20);
        let first = regexes.whole("a+").unwrap();
        assert!(is_same(&first, &regexes.whole("a+").unwrap()));
        regexes.renew(1 << 20);
        assert!(is_same(&first, &regexes.whole("a+").unwrap()));
        regexes.renew(1 << 20);
        regexes.renew(1 << 20);
        assert!(!is_same(&first, &regexes.whole("a+").unwrap()));
    }

    #[test]
    fn another_limit_is_another_verdict() {
        let mut regexes = Regexes::new(1 << 20);
        assert!(regexes.whole("a{1000}").is_ok());
        regexes.renew(1 << 10);
        assert!(regexes.whole("a{1000}").is_err());
    }
}
