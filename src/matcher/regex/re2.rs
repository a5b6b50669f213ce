//! RE2's syntax, in the engine's.
//!
//! Both come from the same family, so most of an expression goes through as it is. Translated: `{` that begins no repetition, `\<`, `\>`,
//! `\Q..\E`, `\C`, octal escapes, and in classes what the engine would take for set operations. Refused: what only the engine knows.

use super::InvalidRegex;

/// `written`, so that the engine reads it as RE2 would.
pub fn translate(written: &str) -> Result<String, InvalidRegex> {
    let mut out = String::with_capacity(written.len());
    let mut rest = written;
    let mut repeated = Repeated::Not;
    while let Some(first) = rest.chars().next() {
        let tail = rest.get(first.len_utf8()..).unwrap_or_default();
        let repeats = matches!(first, '*' | '+' | '?') || first == '{' && is_repetition(tail);
        repeated = match (repeats, first, repeated) {
            (false, ..) => Repeated::Not,
            (true, _, Repeated::Not) => Repeated::Once,
            (true, '?', Repeated::Once) => Repeated::Lazily,
            _ => return refuse(written, "repetition of a repetition"),
        };
        rest = match first {
            '{' if repeats => {
                let end = tail.find('}').map_or(tail.len(), |end| end + 1);
                out.push('{');
                out.push_str(tail.get(..end).unwrap_or_default());
                tail.get(end..).unwrap_or_default()
            }
            '\\' => escape(written, tail, &mut out, false)?,
            '[' => class(written, tail, &mut out)?,
            '{' => {
                out.push_str(r"\{");
                tail
            }
            '(' if tail.starts_with('?') => {
                flags(written, tail)?;
                out.push('(');
                tail
            }
            other => {
                literal(other, &mut out);
                tail
            }
        };
    }
    Ok(out)
}

/// Whether the last thing read was a repetition.
enum Repeated {
    Not,
    Once,
    Lazily,
}

fn refuse<T>(written: &str, what: &str) -> Result<T, InvalidRegex> {
    Err(InvalidRegex(format!(
        "`{written}` is not a regular expression of RE2, which has no {what}"
    )))
}

/// A character outside ASCII is two bytes or more on the wire, and RE2 in Latin-1 mode reads the pattern's bytes as such.
fn literal(c: char, out: &mut String) {
    if c.is_ascii() {
        out.push(c);
    } else {
        let mut buffer = [0; 4];
        out.push_str("(?:");
        c.encode_utf8(&mut buffer)
            .bytes()
            .for_each(|byte| out.push_str(&format!(r"\x{byte:02x}")));
        out.push(')');
    }
}

/// `{3}`, `{3,}`, `{3,5}`, with the brace taken.
fn is_repetition(tail: &str) -> bool {
    let Some((inside, _)) = tail.split_once('}') else {
        return false;
    };
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match inside.split_once(',') {
        Some((low, high)) => number(low) && (high.is_empty() || number(high)),
        None => number(inside),
    }
}

/// Only RE2's flags: `(?imsU-imsU)`, `(?:`, `(?P<name>`, `(?<name>`.
fn flags(written: &str, tail: &str) -> Result<(), InvalidRegex> {
    let after = tail.trim_start_matches('?');
    if after.starts_with("P<") || after.starts_with('<') && !after.starts_with("<=") && !after.starts_with("<!") {
        return Ok(());
    }
    let end = after.find([')', ':']).unwrap_or(after.len());
    match after
        .get(..end)
        .unwrap_or_default()
        .chars()
        .find(|c| !"imsU-".contains(*c))
    {
        Some('=' | '!' | '<') => refuse(written, "look-around"),
        Some(flag) => refuse(written, &format!("group `(?{flag}`")),
        None => Ok(()),
    }
}

/// What follows a backslash; returns what follows that.
fn escape<'t>(written: &str, tail: &'t str, out: &mut String, in_class: bool) -> Result<&'t str, InvalidRegex> {
    let Some(c) = tail.chars().next() else {
        return refuse(written, "backslash at its end");
    };
    let after = tail.get(c.len_utf8()..).unwrap_or_default();
    match c {
        'Q' if !in_class => {
            let (quoted, after) = after.split_once(r"\E").unwrap_or((after, ""));
            for c in quoted.chars() {
                if c.is_ascii_punctuation() {
                    out.push('\\');
                }
                literal(c, out);
            }
            return Ok(after);
        }
        'C' if !in_class => out.push_str("(?s:.)"),
        '0'..='7' => {
            let digits = tail
                .bytes()
                .take(3)
                .take_while(|byte| matches!(byte, b'0'..=b'7'))
                .count();
            let digits = tail.get(..digits).unwrap_or_default();
            if c != '0' && digits.len() < 3 {
                return refuse(written, "backreferences");
            }
            match u8::from_str_radix(digits, 8) {
                Ok(byte) => out.push_str(&format!(r"\x{byte:02x}")),
                Err(_) => return refuse(written, "characters above 255"),
            }
            return Ok(tail.get(digits.len()..).unwrap_or_default());
        }
        '8' | '9' => return refuse(written, "backreferences"),
        'd' | 'D' | 's' | 'S' | 'w' | 'W' | 'a' | 'f' | 't' | 'n' | 'r' | 'v' => out.extend(['\\', c]),
        'A' | 'z' | 'b' | 'B' if !in_class => out.extend(['\\', c]),
        'x' => {
            let digits = match after.strip_prefix('{') {
                Some(braced) => braced.split_once('}'),
                None => after.get(..2).zip(after.get(2..)),
            };
            let byte = digits.and_then(|(digits, rest)| Some((u8::from_str_radix(digits, 16).ok()?, rest)));
            let Some((byte, rest)) = byte else {
                return refuse(written, "characters above 255");
            };
            out.push_str(&format!(r"\x{byte:02x}"));
            return Ok(rest);
        }
        'p' | 'P' => return refuse(written, "Unicode classes in Latin-1 mode"),
        c if c.is_ascii_punctuation() => {
            // `\<` and `\>` are word boundaries to the engine alone.
            out.push_str(&format!(r"\x{:02x}", c as u32));
        }
        c if !c.is_ascii() => literal(c, out),
        c => return refuse(written, &format!(r"escape `\{c}`")),
    }
    Ok(after)
}

/// A class, its bracket taken; returns what follows its end.
fn class<'t>(written: &str, tail: &'t str, out: &mut String) -> Result<&'t str, InvalidRegex> {
    out.push('[');
    let mut rest = tail;
    if let Some(negated) = rest.strip_prefix('^') {
        out.push('^');
        rest = negated;
    }
    let mut first = true;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        rest = match c {
            ']' if !first => {
                out.push(']');
                return Ok(after);
            }
            '\\' => escape(written, after, out, true)?,
            '[' if after.starts_with(':') && after.contains(":]") => {
                let end = rest.find(":]").map_or(rest.len(), |end| end + 2);
                out.push_str(rest.get(..end).unwrap_or_default());
                rest.get(end..).unwrap_or_default()
            }
            // A range's dash stays as it is; whatever else the engine has a meaning for is written by its number.
            '-' => {
                out.push_str(if first || after.starts_with(']') { r"\-" } else { "-" });
                after
            }
            c if c.is_ascii_punctuation() => {
                out.push_str(&format!(r"\x{:02x}", c as u32));
                after
            }
            c if !c.is_ascii() => {
                // Latin-1 mode sees the bytes of the pattern's UTF-8, one by one.
                let mut buffer = [0; 4];
                c.encode_utf8(&mut buffer)
                    .bytes()
                    .for_each(|byte| out.push_str(&format!(r"\x{byte:02x}")));
                after
            }
            c => {
                out.push(c);
                after
            }
        };
        first = false;
    }
    refuse(written, "class without an end")
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
        assert!(matches("a{,2}", "a{,2}"));
    }

    #[test]
    fn classes_have_no_set_operations() {
        assert!(matches("[^[]+", "ab") && !matches("[^[]+", "["));
        assert!(matches("[a&&b]+", "a&b"));
        assert!(matches("[a~~b]+", "~"));
        assert!(matches("[]a]+", "]a"));
        assert!(matches("[a-c-]+", "b-"));
        assert!(matches("[[:alpha:]_]+", "a_") && !matches("[[:alpha:]]", ":"));
        assert!(matches(r"[\w.-]+", "a.-b"));
    }

    #[test]
    fn quotes_octals_and_bytes_are_read() {
        assert!(matches(r"\Qa.b\E.", "a.bc") && !matches(r"\Qa.b\E", "axb"));
        assert!(matches(r"\101\x42\x{43}", "ABC"));
        assert!(matches(r"\<a\>", "<a>"));
        assert!(matches("é", "é") && matches("é+", "éé") && matches("[é]+", "é"));
    }

    #[test]
    fn what_re2_does_not_know_is_refused() {
        let patterns = [
            "(?=a)", "(?<!a)b", r"(a)\1", "(?x)a b", "(?R)a", r"\u{41}", r"\pL", "[a", "a**", "a*+", r"\", "*", "(",
        ];
        patterns
            .iter()
            .for_each(|pattern| assert!(refused(pattern), "{pattern}"));
        assert!(!refused(r"\b{start}") && !refused("a*?") && !refused("a{2}?"));
    }
}
