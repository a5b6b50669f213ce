//! RE2's syntax, in the engine's.
//!
//! An expression is read as RE2 reads it in Latin-1 mode, byte by byte (`re2/parse.cc`), and written anew with the little that both read alike:
//! every byte that is no letter and no digit by its number, groups without names, classes without set operations.

use super::InvalidRegex;

/// `re2/re2.h`: a repetition, and those within it multiplied, goes no further.
const MAX_REPEAT: usize = 1000;

/// `written`, so that the engine reads it as RE2 would.
pub fn translate(written: &str) -> Result<String, InvalidRegex> {
    let mut pattern = Pattern {
        rest: written.as_bytes(),
        out: String::with_capacity(written.len()),
        repeated: Repeated::Not,
        times: 1,
        open: vec![1],
    };
    while let Some(byte) = pattern.next() {
        let read = pattern.read(byte);
        read.map_err(|what| InvalidRegex(format!("`{written}` {what}")))?;
    }
    Ok(pattern.out)
}

/// What is wrong, behind the expression.
type Fault = String;

fn unknown<T>(what: &str) -> Result<T, Fault> {
    Err(format!("is not a regular expression of RE2, which has no {what}"))
}

/// An expression, as far as it is read.
struct Pattern<'p> {
    rest: &'p [u8],
    out: String,
    repeated: Repeated,
    /// How often the last thing read is repeated, and what is in it multiplied.
    times: usize,
    /// The most of that in each group that is open.
    open: Vec<usize>,
}

/// Whether the last thing read was a repetition.
#[derive(Clone, Copy)]
enum Repeated {
    Not,
    Once,
    Lazily,
}

/// What an escape stands for.
enum Escaped {
    Byte(u8),
    /// In the engine's words.
    Class(&'static str),
    /// The same, and no part of a class.
    Outside(&'static str),
    /// `\Q`.
    Quote,
}

impl Pattern<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn take(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text.as_bytes());
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// What stands before a text, both taken; none, and nothing is taken, if the text does not come.
    fn take_until(&mut self, text: &str) -> Option<&[u8]> {
        let at = self
            .rest
            .windows(text.len())
            .position(|window| window == text.as_bytes())?;
        let (before, rest) = self.rest.split_at_checked(at)?;
        self.rest = rest.get(text.len()..)?;
        Some(before)
    }

    fn read(&mut self, byte: u8) -> Result<(), Fault> {
        match byte {
            b'*' => self.repeat("*", 1)?,
            b'+' => self.repeat("+", 1)?,
            b'?' => self.repeat("?", 1)?,
            b'{' => match counts(self.rest) {
                Some(counts) => {
                    self.rest = counts.after;
                    self.repeat(&counts.text, counts.most)?;
                }
                None => self.literal(byte),
            },
            b'(' => self.group()?,
            b')' => {
                self.item(")");
                self.times = self.open.pop().unwrap_or(1);
                self.note();
            }
            b'[' => self.class()?,
            b'|' => self.item("|"),
            b'^' => self.item("^"),
            b'$' => self.item("$"),
            b'.' => self.item("."),
            b'\\' => match self.escape()? {
                Escaped::Byte(byte) => self.literal(byte),
                Escaped::Class(text) | Escaped::Outside(text) => self.item(text),
                Escaped::Quote => self.quote(),
            },
            other => self.literal(other),
        }
        Ok(())
    }

    fn item(&mut self, text: &str) {
        self.out.push_str(text);
        (self.repeated, self.times) = (Repeated::Not, 1);
    }

    fn literal(&mut self, byte: u8) {
        self.item(&number(byte));
    }

    /// `\Q`: everything as it stands, up to `\E` or the end.
    fn quote(&mut self) {
        let quoted = match self.take_until(r"\E") {
            Some(quoted) => quoted.to_vec(),
            None => std::mem::take(&mut self.rest).to_vec(),
        };
        quoted.into_iter().for_each(|byte| self.literal(byte));
    }

    fn repeat(&mut self, text: &str, most: usize) -> Result<(), Fault> {
        self.repeated = match (self.repeated, text) {
            (Repeated::Not, _) => Repeated::Once,
            (Repeated::Once, "?") => Repeated::Lazily,
            _ => return unknown("repetition of a repetition"),
        };
        self.out.push_str(text);
        self.times = self.times.saturating_mul(most.max(1));
        if self.times > MAX_REPEAT {
            return unknown(&format!("repetition of more than {MAX_REPEAT}"));
        }
        self.note();
        Ok(())
    }

    /// A group is as often repeated as the most in it.
    fn note(&mut self) {
        match self.open.last_mut() {
            Some(most) => *most = self.times.max(*most),
            None => self.open.push(1),
        }
    }

    /// Behind a `(`. Names are of no use here.
    fn group(&mut self) -> Result<(), Fault> {
        if !self.take("?") {
            self.open.push(1);
            self.item("(");
            return Ok(());
        }
        let looks = ["=", "!", "<=", "<!"];
        if looks.iter().any(|look| self.take(look)) {
            return unknown("look-around");
        }
        if self.take("P<") || self.take("<") {
            let name = self.take_until(">").unwrap_or_default();
            if name.is_empty() || !name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
                return unknown("group of such a name");
            }
            self.open.push(1);
            self.item("(");
            return Ok(());
        }
        self.flags()
    }

    /// `(?i-s:` and `(?i-s)`, with the question mark taken: the last word on a flag counts.
    fn flags(&mut self) -> Result<(), Fault> {
        let (mut on, mut off) = (String::new(), String::new());
        let (mut takes_away, mut is_idle) = (false, false);
        let end = loop {
            match self.next() {
                Some(flag @ (b'i' | b'm' | b's' | b'U')) => {
                    let flag = char::from(flag);
                    on.retain(|own| own != flag);
                    off.retain(|own| own != flag);
                    if takes_away { &mut off } else { &mut on }.push(flag);
                    is_idle = false;
                }
                Some(b'-') if !takes_away => (takes_away, is_idle) = (true, true),
                Some(end @ (b':' | b')')) if !is_idle => break end,
                Some(other) => return unknown(&format!("group `(?{}`", char::from(other))),
                None => return unknown("group without an end"),
            }
        };
        let flags = match off.as_str() {
            "" => on,
            off => format!("{on}-{off}"),
        };
        match (end, flags.as_str()) {
            (b')', "") => {}
            (b')', flags) => self.out.push_str(&format!("(?{flags})")),
            (_, flags) => {
                self.open.push(1);
                self.item(&format!("(?{flags}:"));
            }
        }
        Ok(())
    }

    /// Behind a backslash.
    fn escape(&mut self) -> Result<Escaped, Fault> {
        let Some(c) = self.next() else {
            return unknown("backslash at its end");
        };
        Ok(match c {
            b'0' => Escaped::Byte(self.octal(c)?),
            b'1'..=b'7' if self.rest.first().is_some_and(is_octal) => Escaped::Byte(self.octal(c)?),
            b'1'..=b'9' => return unknown("backreferences"),
            b'x' => Escaped::Byte(self.hexadecimal()?),
            b'a' => Escaped::Byte(0x07),
            b't' => Escaped::Byte(b'\t'),
            b'n' => Escaped::Byte(b'\n'),
            b'v' => Escaped::Byte(0x0b),
            b'f' => Escaped::Byte(0x0c),
            b'r' => Escaped::Byte(b'\r'),
            b'd' => Escaped::Class(r"\d"),
            b'D' => Escaped::Class(r"\D"),
            b'w' => Escaped::Class(r"\w"),
            b'W' => Escaped::Class(r"\W"),
            // Without the vertical tab, which the engine counts as space.
            b's' => Escaped::Class(r"[\t\n\x0c\r\x20]"),
            b'S' => Escaped::Class(r"[^\t\n\x0c\r\x20]"),
            b'A' => Escaped::Outside(r"\A"),
            b'z' => Escaped::Outside(r"\z"),
            b'b' => Escaped::Outside(r"\b"),
            b'B' => Escaped::Outside(r"\B"),
            b'C' => Escaped::Outside("(?s:.)"),
            b'Q' => Escaped::Quote,
            b'p' | b'P' => return Err("has a Unicode class, which is not known here; write its characters".to_owned()),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => Escaped::Byte(c),
            c => return unknown(&format!(r"escape `\{}`", char::from(c))),
        })
    }

    /// Up to three digits, the first of which is taken.
    fn octal(&mut self, first: u8) -> Result<u8, Fault> {
        let more = self.rest.iter().take(2).take_while(|digit| is_octal(digit)).count();
        let (digits, rest) = self.rest.split_at_checked(more).unwrap_or((&[], self.rest));
        self.rest = rest;
        let digits = std::iter::once(&first).chain(digits);
        let value = digits.fold(0, |value, digit| value * 8 + u16::from(digit - b'0'));
        u8::try_from(value).or_else(|_| unknown("characters above 255 in Latin-1 mode"))
    }

    /// `61` or `{61}`.
    fn hexadecimal(&mut self) -> Result<u8, Fault> {
        let digits = if self.take("{") {
            self.take_until("}").map(<[u8]>::to_vec)
        } else {
            let digits = self.rest.split_at_checked(2);
            self.rest = digits.map_or(self.rest, |(_, rest)| rest);
            digits.map(|(digits, _)| digits.to_vec())
        };
        let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| String::from_utf8(digits).ok());
        let value = digits.and_then(|digits| u8::from_str_radix(&digits, 16).ok());
        value.map_or_else(|| unknown("such number of a character in Latin-1 mode"), Ok)
    }

    /// Behind a `[`.
    fn class(&mut self) -> Result<(), Fault> {
        let mut out = String::from(if self.take("^") { "[^" } else { "[" });
        let mut is_first = true;
        loop {
            if !is_first && self.take("]") {
                out.push(']');
                self.item(&out);
                return Ok(());
            }
            is_first = false;
            if let Some(name) = self.class_name()? {
                out.push_str(&name);
                continue;
            }
            let low = match self.member()? {
                Escaped::Byte(low) => low,
                Escaped::Class(class) => {
                    out.push_str(class);
                    continue;
                }
                Escaped::Outside(_) | Escaped::Quote => return unknown("such escape in a class"),
            };
            out.push_str(&number(low));
            // A dash that ends the class is a dash.
            if matches!(self.rest, [b'-', end, ..] if *end != b']') {
                self.take("-");
                match self.member()? {
                    Escaped::Byte(high) if high >= low => out.push_str(&format!("-{}", number(high))),
                    _ => return unknown("such range in a class"),
                }
            }
        }
    }

    fn member(&mut self) -> Result<Escaped, Fault> {
        match self.next() {
            Some(b'\\') => self.escape(),
            Some(byte) => Ok(Escaped::Byte(byte)),
            None => unknown("class without an end"),
        }
    }

    /// `[:alpha:]`. Without its end, wherever that may be, the bracket is a bracket.
    fn class_name(&mut self) -> Result<Option<String>, Fault> {
        const NAMES: [&str; 14] = [
            "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper",
            "word", "xdigit",
        ];
        let before = self.rest;
        if !self.take("[:") {
            return Ok(None);
        }
        let Some(name) = self.take_until(":]") else {
            self.rest = before;
            return Ok(None);
        };
        let name = String::from_utf8_lossy(name).into_owned();
        match NAMES.contains(&name.trim_start_matches('^')) {
            true => Ok(Some(format!("[:{name}:]"))),
            false => unknown(&format!("class `[:{name}:]`")),
        }
    }
}

fn is_octal(byte: &u8) -> bool {
    matches!(byte, b'0'..=b'7')
}

/// Letters and digits are themselves; whatever the engine may have a meaning for is written by its number.
fn number(byte: u8) -> String {
    match byte.is_ascii_alphanumeric() {
        true => char::from(byte).to_string(),
        false => format!(r"\x{byte:02x}"),
    }
}

/// `{3}`, `{3,}` or `{3,5}`.
struct Counts<'p> {
    text: String,
    most: usize,
    after: &'p [u8],
}

/// Counts, with the brace taken; none if it is only a brace.
fn counts(rest: &[u8]) -> Option<Counts<'_>> {
    let end = rest.iter().position(|byte| *byte == b'}')?;
    let inside = std::str::from_utf8(rest.get(..end)?).ok()?;
    // RE2 reads neither a number with a zero before it nor one of nine digits.
    let count = |text: &str| -> Option<usize> {
        let is_plain = !text.is_empty() && text.len() < 9 && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_count = is_plain && (text.len() == 1 || !text.starts_with('0'));
        text.parse().ok().filter(|_| is_count)
    };
    let most = match inside.split_once(',') {
        Some((low, "")) => count(low)?,
        Some((low, high)) => count(low).and(count(high))?,
        None => count(inside)?,
    };
    Some(Counts {
        text: format!("{{{inside}}}"),
        most,
        after: rest.get(end + 1..)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::Regex;

    fn matches(pattern: &str, value: &str) -> bool {
        Regex::new(pattern, 1 << 20).unwrap().is_full_match(value.as_bytes())
    }

    fn refused(pattern: &str) -> bool {
        Regex::new(pattern, 1 << 20).is_err()
    }

    #[test]
    fn a_brace_that_repeats_nothing_is_a_brace() {
        assert!(matches("/{id}", "/{id}"));
        assert!(matches("a{2,}b{1}", "aab"));
        assert!(matches("a{,2}", "a{,2}") && matches("a{01}", "a{01}"));
    }

    #[test]
    fn classes_have_no_set_operations() {
        assert!(matches("[^[]+", "ab") && !matches("[^[]+", "["));
        assert!(matches("[a&&b]+", "a&b"));
        assert!(matches("[a~~b]+", "~"));
        assert!(matches("[]a]+", "]a"));
        assert!(matches("[a-c-]+", "b-"));
        assert!(matches("[[:alpha:]_]+", "a_") && !matches("[[:alpha:]]", ":"));
        assert!(matches("[[:alpha]", "[") && refused("[[:foo:]]"));
        assert!(matches(r"[\w.-]+", "a.-b"));
    }

    #[test]
    fn a_dash_behind_a_class_or_a_range_is_a_dash() {
        assert!(matches(r"[\w-.]+@[\d-z]+", "a-b.c@1-z"));
        assert!(matches("[a-b-z]+", "a-z") && !matches("[a-b-z]+", "c"));
        assert!(refused(r"[a-\d]") && refused("[z-a]"));
    }

    #[test]
    fn quotes_octals_and_bytes_are_read() {
        assert!(matches(r"\Qa.b\E.", "a.bc") && !matches(r"\Qa.b\E", "axb"));
        assert!(matches(r"\101\x42\x{43}\12", "ABC\n"));
        assert!(matches(r"\<a\>\ ", "<a> "));
    }

    #[test]
    fn a_character_outside_ascii_is_its_bytes() {
        assert!(matches("é", "é") && matches("[é]+", "é"));
        // The repetition is the last byte's, as Latin-1 mode has it.
        assert!(!matches("é+", "éé"));
    }

    #[test]
    fn flags_and_names_are_read_as_re2_reads_them() {
        assert!(matches("(?i-i)a(?ii)b(?)c", "aBC") && !matches("(?i-i)a", "A"));
        assert!(matches("(?P<1a>a)(?<n>b)(?P<n>c)", "abc"));
        assert!(refused("(?i-)a") && refused("(?-)a") && refused("(?P<a.b>a)"));
    }

    #[test]
    fn repetitions_have_re2s_bound_however_they_are_nested() {
        assert!(!refused("(?:a{100}){10}") && !refused("((a{2})b){400}") && !refused("a{999}b{999}"));
        for pattern in [
            "a{1001}",
            "a{1001,}",
            "(?:a{100}){11}",
            "(a{2}|b{3}){400}",
            "((a?){999}){2}",
        ] {
            assert!(refused(pattern), "{pattern}");
        }
    }

    #[test]
    fn what_re2_does_not_know_is_refused() {
        let patterns = [
            "(?=a)", "(?<!a)b", r"(a)\1", "(?x)a b", "(?R)a", r"\u{41}", "[a", "a**", "a*+", r"\", "*", "(", r"\é",
            r"\x{100}", r"\777", r"\x+1", r"\E", r"[\b]", ")",
        ];
        patterns
            .iter()
            .for_each(|pattern| assert!(refused(pattern), "{pattern}"));
        assert!(!refused(r"\b{start}") && !refused("a*?") && !refused("a{2}?"));
    }
}
