//! Reading JSON no further down than it is asked for. Of what lies below only the end is looked for: that is several times faster than
//! reading it, and most objects of a configuration are known by their text.

use std::borrow::Cow;

use serde::de::Error;

use super::Json;

impl<'t> Json<'t> {
    /// Reads a text that is known to be JSON, `levels` of lists and objects deep; what lies below stays raw. Of any other text comes an
    /// error or a value: what is raw is not what it seems there, and reading it says so.
    pub fn skim(text: &'t str, levels: usize) -> serde_json::Result<Self> {
        Json::skim_with(text, levels, &mut length)
    }

    /// As [`skim`](Self::skim), where `length` tells how many bytes long the value is that a text begins with. It is asked for each value
    /// that stays raw, in order.
    pub(crate) fn skim_with(
        text: &'t str,
        levels: usize,
        length: &mut dyn FnMut(&'t str) -> usize,
    ) -> serde_json::Result<Self> {
        let mut skimmer = Skimmer { text, at: 0, length };
        let json = skimmer.value(levels)?;
        skimmer.pass(b' ');
        if skimmer.at == text.len() {
            Ok(json)
        } else {
            Err(Error::custom("it ends elsewhere"))
        }
    }
}

struct Skimmer<'t, 'f> {
    text: &'t str,
    at: usize,
    length: &'f mut dyn FnMut(&'t str) -> usize,
}

impl<'t> Skimmer<'t, '_> {
    fn value(&mut self, levels: usize) -> serde_json::Result<Json<'t>> {
        self.pass(b' ');
        let first = self.text.as_bytes().get(self.at);
        match (first, levels.checked_sub(1)) {
            (_, None) => Ok(Json::Raw(self.raw())),
            (Some(b'['), Some(levels)) => {
                let mut list = Vec::new();
                self.at += 1;
                while self.is_within() {
                    list.push(self.value(levels)?);
                }
                list.shrink_to_fit();
                Ok(Json::List(list))
            }
            (Some(b'{'), Some(levels)) => {
                let mut object = Vec::new();
                self.at += 1;
                while self.is_within() {
                    let name = text(self.whole())?;
                    self.pass(b':');
                    object.push((name, self.value(levels)?));
                }
                object.shrink_to_fit();
                Ok(Json::Object(object))
            }
            (Some(b'"'), _) => text(self.whole()).map(Json::Text),
            _ => Json::read(self.whole().as_bytes()),
        }
    }

    /// Whether there is another entry, or another member. If not, it goes on beyond the bracket, or the text.
    fn is_within(&mut self) -> bool {
        self.pass(b',');
        let is_within = !matches!(self.text.as_bytes().get(self.at), None | Some(b']' | b'}'));
        self.at += usize::from(!is_within);
        is_within
    }

    /// Passes over white space and over another byte.
    fn pass(&mut self, other: u8) {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let passed = rest.iter().take_while(|byte| is_space(**byte) || **byte == other);
        self.at += passed.count();
    }

    /// All of the value that begins here, and stays raw.
    fn raw(&mut self) -> &'t str {
        let rest = self.rest();
        let length = (self.length)(rest);
        self.take(length)
    }

    /// All of the value that begins here.
    fn whole(&mut self) -> &'t str {
        self.take(length(self.rest()))
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, length: usize) -> &'t str {
        let taken = self.rest().get(..length).unwrap_or_default();
        self.at += length;
        taken
    }
}

/// How many bytes long the value is that a text begins with.
pub(crate) fn length(text: &str) -> usize {
    let text = text.as_bytes();
    let (mut at, mut depth) = (0, 0);
    while let Some(&byte) = text.get(at) {
        // With this bit a square bracket is a brace.
        match byte | 0x20 {
            b'"' => {
                at = end_of_string(text, at + 1);
                if depth == 0 {
                    return at + 1;
                }
            }
            b'{' => depth += 1,
            b'}' if depth < 2 => return at + depth,
            b'}' => depth -= 1,
            _ if depth == 0 && (is_space(byte) || byte == b',') => return at,
            _ => {}
        }
        at += 1;
    }
    at
}

/// Where the quotation mark is that ends a string.
fn end_of_string(text: &[u8], mut at: usize) -> usize {
    while let Some(rest) = text.get(at..) {
        let plain = rest.first_chunk().map_or(0, plain);
        at += plain;
        match rest.get(plain) {
            Some(b'"') | None => break,
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
        }
    }
    at
}

/// How many bytes come before the first quotation mark or backslash; all 8 where there is none.
fn plain(word: &[u8; 8]) -> usize {
    let word = u64::from_le_bytes(*word);
    let each = |byte| u64::from_le_bytes([byte; 8]);
    let is_zero = |bytes: u64| bytes.wrapping_sub(each(1)) & !bytes & each(0x80);
    let found = is_zero(word ^ each(b'"')) | is_zero(word ^ each(b'\\'));
    found.trailing_zeros() as usize / 8
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

/// What stands between two quotation marks.
fn text(whole: &str) -> serde_json::Result<Cow<'_, str>> {
    let inside = whole.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    if let Some(text) = inside.filter(|text| !text.contains('\\')) {
        return Ok(Cow::Borrowed(text));
    }
    match Json::read(whole.as_bytes())? {
        Json::Text(text) => Ok(text),
        other => Err(Error::custom(format!("a member's name is {}", other.name()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::{Dice, Wyrand};

    /// A text that is drawn: values in values, with space and without.
    fn draw(dice: &mut Wyrand, depth: u64, text: &mut String) {
        let mut below = |bound| dice.next() % bound;
        let space = ["", "", " ", "\n\t"];
        let string = |pick: u64| {
            [
                "\"\"",
                "\"a\"",
                "\"]},{[:\"",
                r#""\"""#,
                r#""\\""#,
                r#""123456\"8""#,
                r#""12345678\\""#,
                r#""é\u00e9 12345""#,
            ][pick as usize]
        };
        let (gap, kind) = (space[below(4) as usize], below(if depth == 0 { 6 } else { 10 }));
        *text += gap;
        match kind {
            0..3 => *text += string(below(8)),
            3..6 => *text += ["0", "-1.5e3", "true", "null", "18446744073709551615", "{}"][below(6) as usize],
            _ => {
                let (count, is_list) = (below(4), kind < 8);
                *text += if is_list { "[" } else { "{" };
                for number in 0..count {
                    if number > 0 {
                        *text += ",";
                    }
                    if !is_list {
                        *text += gap;
                        *text += string(dice.next() % 8);
                        *text += gap;
                        *text += ":";
                    }
                    draw(dice, depth - 1, text);
                }
                *text += gap;
                *text += if is_list { "]" } else { "}" };
            }
        }
        *text += gap;
    }

    /// With all that is raw read.
    fn whole(json: Json) -> serde_json::Result<Json> {
        Ok(match json {
            Json::Raw(text) => Json::read(text.as_bytes())?,
            Json::List(entries) => Json::List(entries.into_iter().map(whole).collect::<Result<_, _>>()?),
            Json::Object(members) => {
                let members = members.into_iter().map(|(name, json)| Ok((name, whole(json)?)));
                Json::Object(members.collect::<serde_json::Result<_>>()?)
            }
            other => other,
        })
    }

    #[test]
    fn what_is_skimmed_is_what_is_read() {
        let mut dice = Wyrand::new(3);
        for _ in 0..3000 {
            let mut text = String::new();
            draw(&mut dice, 4, &mut text);
            let read = Json::read(text.as_bytes()).unwrap();
            for levels in 0..5 {
                let skimmed = Json::skim(&text, levels).unwrap();
                assert_eq!(whole(skimmed).unwrap(), read, "{levels} of {text}");
            }
        }
    }

    #[test]
    fn what_lies_below_stays_raw() {
        let json = Json::skim(r#" { "a" : [ {"b": 1} , 2 ] , "c":"d" } "#, 2).unwrap();
        let list = Json::List(vec![Json::Raw(r#"{"b": 1}"#), Json::Raw("2")]);
        assert_eq!(
            json,
            Json::Object(vec![("a".into(), list), ("c".into(), Json::Text("d".into()))])
        );
    }

    #[test]
    fn a_text_that_is_no_json_ends() {
        let mut dice = Wyrand::new(4);
        for _ in 0..3000 {
            let mut text = String::new();
            draw(&mut dice, 4, &mut text);
            let mut chars: Vec<char> = text.chars().collect();
            for _ in 0..3 {
                let at = dice.next() as usize % chars.len();
                chars[at] = ['"', '\\', '[', '}', ',', ':', 'x', ' '][dice.next() as usize % 8];
            }
            let text: String = chars.iter().collect();
            for levels in 0..5 {
                let _ = Json::skim(&text, levels).map(whole);
            }
        }
        for text in [
            "",
            "[",
            "{",
            "\"",
            "\"\\",
            "{\"",
            "{:}",
            "]",
            "{\"a\"}",
            "{\"a\":,}",
            ",",
            "[[1]",
            "[1]]",
            "1 2",
        ] {
            assert!(Json::skim(text, 3).is_err(), "{text}");
        }
    }
}
