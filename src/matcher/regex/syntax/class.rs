//! Classes of bytes: `[..]`, `[:alpha:]`, `\d`.

use super::ByteSet;
use super::parser::{Invalid, Parser};

/// The class that an escape's letter names.
pub(super) fn perl(letter: u8) -> Option<ByteSet> {
    let set = match letter.to_ascii_lowercase() {
        b'd' => ByteSet::of(u8::is_ascii_digit),
        b's' => ByteSet::of(|byte| matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | b' ')),
        b'w' => ByteSet::of(is_word),
        _ => return None,
    };
    Some(if letter.is_ascii_uppercase() {
        set.negated()
    } else {
        set
    })
}

/// What `\w` takes and `\b` looks for.
pub fn is_word(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte == b'_'
}

fn posix(name: &[u8]) -> Option<ByteSet> {
    Some(match name {
        b"alnum" => ByteSet::of(u8::is_ascii_alphanumeric),
        b"alpha" => ByteSet::of(u8::is_ascii_alphabetic),
        b"ascii" => ByteSet::of(u8::is_ascii),
        b"blank" => ByteSet::of(|byte| matches!(byte, b'\t' | b' ')),
        b"cntrl" => ByteSet::of(u8::is_ascii_control),
        b"digit" => ByteSet::of(u8::is_ascii_digit),
        b"graph" => ByteSet::of(u8::is_ascii_graphic),
        b"lower" => ByteSet::of(u8::is_ascii_lowercase),
        b"print" => ByteSet::of(|byte| matches!(byte, b' '..=b'~')),
        b"punct" => ByteSet::of(u8::is_ascii_punctuation),
        b"space" => ByteSet::of(|byte| matches!(byte, b'\t'..=b'\r' | b' ')),
        b"upper" => ByteSet::of(u8::is_ascii_uppercase),
        b"word" => ByteSet::of(is_word),
        b"xdigit" => ByteSet::of(u8::is_ascii_hexdigit),
        _ => return None,
    })
}

impl Parser<'_> {
    /// A class, its bracket taken.
    pub(super) fn class(&mut self) -> Result<ByteSet, Invalid> {
        let negated = self.take(b"^");
        let mut set = ByteSet::EMPTY;
        let mut first = true;
        loop {
            if !first && self.take(b"]") {
                break;
            }
            first = false;
            let part = match self.posix_class()? {
                Some(class) => class,
                None => match self.perl_class() {
                    Some(class) => class,
                    None => self.range()?,
                },
            };
            set = set.union(self.folded(part));
        }
        Ok(if negated { set.negated() } else { set })
    }

    fn posix_class(&mut self) -> Result<Option<ByteSet>, Invalid> {
        let Some(inside) = self.rest().strip_prefix(b"[:") else {
            return Ok(None);
        };
        let Some(end) = inside.windows(2).position(|two| two == b":]") else {
            return Ok(None);
        };
        let name = inside.get(..end).unwrap_or_default();
        self.skip(end + 4);
        let class = match name.strip_prefix(b"^") {
            Some(name) => posix(name).map(|class| self.folded(class).negated()),
            None => posix(name),
        };
        class.map(Some).ok_or(Invalid::Syntax("unrecognized class"))
    }

    /// `\d` and its like.
    pub(super) fn perl_class(&mut self) -> Option<ByteSet> {
        let letter = self.rest().strip_prefix(b"\\")?.first()?;
        let class = perl(*letter)?;
        self.skip(2);
        Some(class)
    }

    /// A byte, or all from one to another; a dash before the end is itself.
    fn range(&mut self) -> Result<ByteSet, Invalid> {
        let first = self.class_byte()?;
        let dash = self.rest().first() == Some(&b'-') && self.rest().get(1).is_some_and(|next| *next != b']');
        if !dash {
            return Ok(ByteSet::one(first));
        }
        self.skip(1);
        let last = self.class_byte()?;
        if last < first {
            return Err(Invalid::Syntax("range the wrong way round"));
        }
        Ok(ByteSet::range(first, last))
    }

    fn class_byte(&mut self) -> Result<u8, Invalid> {
        match self.next().ok_or(Invalid::Syntax("unclosed character class"))? {
            b'\\' => self.escape(),
            byte => Ok(byte),
        }
    }
}
