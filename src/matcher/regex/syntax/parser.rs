//! From text to a [`Node`].

use super::class::perl;
use super::{ByteSet, InvalidRegex, Look, Node};

/// How deep groups may lie in one another.
const DEPTH: usize = 250;
/// How often something may be repeated, repetitions of repetitions multiplied.
const REPEATS: u32 = 1000;

/// Why a text is no expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Invalid {
    /// It is a mistake anywhere.
    Syntax(&'static str),
    /// Others know it, RE2 does not.
    Unknown(&'static str),
}

pub(super) fn parse(written: &str) -> Result<(Node, usize), InvalidRegex> {
    let mut parser = Parser {
        rest: written.as_bytes(),
        flags: Flags::default(),
        groups: 0,
        depth: 0,
    };
    let node = parser.alternation().and_then(|node| match parser.rest {
        [] => Ok(node),
        _ => Err(Invalid::Syntax("unopened group")),
    });
    match node {
        Ok(node) => Ok((node, parser.groups)),
        Err(Invalid::Syntax(what)) => Err(InvalidRegex(format!("`{written}` is not a regular expression: {what}"))),
        Err(Invalid::Unknown(what)) => Err(InvalidRegex(format!(
            "`{written}` is not a regular expression of RE2, which has no {what}"
        ))),
    }
}

/// What `(?ims)` and `(?U)` change.
#[derive(Debug, Clone, Copy, Default)]
struct Flags {
    ignore_case: bool,
    multi_line: bool,
    dot_takes_newline: bool,
    swap_greed: bool,
}

pub(super) struct Parser<'p> {
    rest: &'p [u8],
    flags: Flags,
    groups: usize,
    depth: usize,
}

impl<'p> Parser<'p> {
    pub(super) fn rest(&self) -> &'p [u8] {
        self.rest
    }

    pub(super) fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    pub(super) fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    /// Takes a text if it comes next.
    pub(super) fn take(&mut self, text: &[u8]) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    pub(super) fn folded(&self, set: ByteSet) -> ByteSet {
        if self.flags.ignore_case {
            set.ignoring_case()
        } else {
            set
        }
    }

    fn byte(&self, byte: u8) -> Node {
        Node::Byte(self.folded(ByteSet::one(byte)))
    }

    /// All until the group's end, or the text's.
    fn alternation(&mut self) -> Result<Node, Invalid> {
        let mut branches = vec![self.concat()?];
        while self.take(b"|") {
            branches.push(self.concat()?);
        }
        match branches.len() {
            1 => Ok(branches.pop().unwrap_or(Node::Empty)),
            _ => Ok(Node::Alternation(branches)),
        }
    }

    fn concat(&mut self) -> Result<Node, Invalid> {
        let mut parts = Vec::new();
        let mut repeated = false;
        while let Some(first) = self.rest.first().filter(|byte| !matches!(byte, b'|' | b')')) {
            if let Some((min, max)) = self.repetition()? {
                let node = match parts.pop() {
                    Some(_) if repeated => return Err(Invalid::Unknown("repetition of a repetition")),
                    Some(node) => Box::new(node),
                    None => return Err(Invalid::Syntax("repetition operator missing expression")),
                };
                let greedy = self.take(b"?") == self.flags.swap_greed;
                let repetition = Node::Repetition { node, min, max, greedy };
                if !is_bounded(&repetition, REPEATS) {
                    return Err(Invalid::Syntax("more than 1000 repetitions"));
                }
                parts.push(repetition);
                repeated = true;
                continue;
            }
            repeated = false;
            if self.take(br"\Q") {
                self.quoted(&mut parts);
                continue;
            }
            self.skip(1);
            let part = match first {
                b'(' => self.group()?,
                b'[' => Some(Node::Byte(self.class()?)),
                b'.' if self.flags.dot_takes_newline => Some(Node::Byte(ByteSet::range(0, u8::MAX))),
                b'.' => Some(Node::Byte(ByteSet::one(b'\n').negated())),
                b'^' if self.flags.multi_line => Some(Node::Look(Look::LineStart)),
                b'^' => Some(Node::Look(Look::Start)),
                b'$' if self.flags.multi_line => Some(Node::Look(Look::LineEnd)),
                b'$' => Some(Node::Look(Look::End)),
                b'\\' => Some(self.backslash()?),
                byte => Some(self.byte(*byte)),
            };
            parts.extend(part);
        }
        match parts.len() {
            0 => Ok(Node::Empty),
            1 => Ok(parts.pop().unwrap_or(Node::Empty)),
            _ => Ok(Node::Concat(parts)),
        }
    }

    /// `*`, `+`, `?`, `{3}`, `{3,}`, `{3,5}`; any other brace is a brace.
    fn repetition(&mut self) -> Result<Option<(u32, Option<u32>)>, Invalid> {
        let (bounds, length) = match self.rest.first() {
            Some(b'*') => ((0, None), 1),
            Some(b'+') => ((1, None), 1),
            Some(b'?') => ((0, Some(1)), 1),
            Some(b'{') => {
                let end = self.rest.iter().position(|byte| *byte == b'}').unwrap_or_default();
                let inside = self.rest.get(1..end).unwrap_or_default();
                let bounds = match inside.iter().position(|byte| *byte == b',') {
                    None => number(inside).map(|times| (times, Some(times))),
                    Some(comma) => number(inside.get(..comma).unwrap_or_default()).and_then(|min| {
                        match inside.get(comma + 1..).unwrap_or_default() {
                            [] => Some((min, None)),
                            max => Some((min, Some(number(max)?))),
                        }
                    }),
                };
                match bounds {
                    Some(bounds) => (bounds, end + 1),
                    None => return Ok(None),
                }
            }
            _ => return Ok(None),
        };
        self.skip(length);
        match bounds {
            (min, max) if min > REPEATS || max.is_some_and(|max| max > REPEATS) => {
                Err(Invalid::Syntax("more than 1000 repetitions"))
            }
            (min, Some(max)) if max < min => Err(Invalid::Syntax("repetition range the wrong way round")),
            bounds => Ok(Some(bounds)),
        }
    }

    /// What stands between `\Q`, which is taken, and `\E`.
    fn quoted(&mut self, parts: &mut Vec<Node>) {
        while !self.rest.is_empty() && !self.take(br"\E") {
            let byte = self.next().map(|byte| self.byte(byte));
            parts.extend(byte);
        }
    }

    /// A group, its parenthesis taken; none for one that only sets flags, for what follows in the group around it.
    fn group(&mut self) -> Result<Option<Node>, Invalid> {
        let outer = self.flags;
        let number = if self.take(b"?P<") || self.is_name() && self.take(b"?<") {
            self.name()?;
            Some(self.count())
        } else if self.take(b"?") {
            if self.set_flags()? == b')' {
                return Ok(None);
            }
            None
        } else {
            Some(self.count())
        };
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(Invalid::Syntax("groups too deep in one another"));
        }
        let node = self.alternation()?;
        self.depth -= 1;
        if !self.take(b")") {
            return Err(Invalid::Syntax("unclosed group"));
        }
        self.flags = outer;
        Ok(Some(match number {
            Some(number) => Node::Group(number, Box::new(node)),
            None => node,
        }))
    }

    fn count(&mut self) -> usize {
        self.groups += 1;
        self.groups
    }

    fn is_name(&self) -> bool {
        self.rest.starts_with(b"?<") && !self.rest.starts_with(b"?<=") && !self.rest.starts_with(b"?<!")
    }

    fn name(&mut self) -> Result<(), Invalid> {
        let end = self.rest.iter().position(|byte| *byte == b'>');
        let name = self.rest.get(..end.unwrap_or_default()).unwrap_or_default();
        if name.is_empty() || !name.iter().all(super::class::is_word) {
            return Err(Invalid::Unknown("group of such a name"));
        }
        self.skip(name.len() + 1);
        Ok(())
    }

    /// `imsU-imsU`, and the `:` or `)` behind it, which is returned.
    fn set_flags(&mut self) -> Result<u8, Invalid> {
        let mut on = true;
        let mut any = false;
        loop {
            let flag = self.next().ok_or(Invalid::Syntax("unclosed group"))?;
            let field = match flag {
                b'i' => &mut self.flags.ignore_case,
                b'm' => &mut self.flags.multi_line,
                b's' => &mut self.flags.dot_takes_newline,
                b'U' => &mut self.flags.swap_greed,
                b'-' if on => {
                    (on, any) = (false, false);
                    continue;
                }
                b':' | b')' if on || any => return Ok(flag),
                b'=' | b'!' | b'<' => return Err(Invalid::Unknown("look-around")),
                _ => return Err(Invalid::Unknown("such group flags")),
            };
            *field = on;
            any = true;
        }
    }

    /// What a backslash, which is taken, makes of what follows, outside of classes.
    fn backslash(&mut self) -> Result<Node, Invalid> {
        let letter = *self.rest.first().ok_or(Invalid::Unknown("backslash at its end"))?;
        let node = match letter {
            b'A' => Node::Look(Look::Start),
            b'z' => Node::Look(Look::End),
            b'b' => Node::Look(Look::WordBoundary),
            b'B' => Node::Look(Look::NotWordBoundary),
            b'C' => Node::Byte(ByteSet::range(0, u8::MAX)),
            letter => match perl(letter) {
                Some(class) => Node::Byte(self.folded(class)),
                None => return Ok(Node::Byte(self.escape().map(|byte| self.folded(ByteSet::one(byte)))?)),
            },
        };
        self.skip(1);
        Ok(node)
    }

    /// The byte that follows a backslash, which is taken.
    pub(super) fn escape(&mut self) -> Result<u8, Invalid> {
        let too_high = Invalid::Unknown("characters above 255 in Latin-1 mode");
        match self.next().ok_or(Invalid::Unknown("backslash at its end"))? {
            b'a' => Ok(0x07),
            b'f' => Ok(0x0c),
            b'n' => Ok(b'\n'),
            b'r' => Ok(b'\r'),
            b't' => Ok(b'\t'),
            b'v' => Ok(0x0b),
            first @ b'0'..=b'7' => {
                let octal = |byte: &&u8| matches!(byte, b'0'..=b'7');
                let more = self.rest.iter().take(2).take_while(octal).count();
                if first != b'0' && more == 0 {
                    return Err(Invalid::Unknown("backreferences"));
                }
                let digits = self.rest.iter().take(more);
                let value = digits.fold(u32::from(first - b'0'), |value, digit| {
                    value * 8 + u32::from(digit - b'0')
                });
                self.skip(more);
                u8::try_from(value).map_err(|_| too_high)
            }
            b'8' | b'9' => Err(Invalid::Unknown("backreferences")),
            b'x' => {
                let (digits, length) = match self.rest.strip_prefix(b"{") {
                    Some(inside) => {
                        let end = inside.iter().position(|byte| *byte == b'}').unwrap_or_default();
                        (inside.get(..end).unwrap_or_default(), end + 2)
                    }
                    None => (self.rest.get(..2).unwrap_or_default(), 2),
                };
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                let value = digits.iter().try_fold(0_u32, |value, byte| {
                    Some(value.saturating_mul(16).saturating_add(digit(byte)?))
                });
                let value = value.filter(|_| !digits.is_empty());
                self.skip(length);
                u8::try_from(value.ok_or(Invalid::Syntax("bad hexadecimal escape"))?).map_err(|_| too_high)
            }
            b'p' | b'P' => Err(Invalid::Unknown("Unicode classes in Latin-1 mode")),
            byte if byte.is_ascii() && !byte.is_ascii_alphanumeric() => Ok(byte),
            _ => Err(Invalid::Unknown("such escape")),
        }
    }
}

/// At most eight digits, the first of several no zero.
fn number(digits: &[u8]) -> Option<u32> {
    let is_written = digits.iter().all(u8::is_ascii_digit) && (digits.len() == 1 || digits.first() != Some(&b'0'));
    let number = |digits: &[u8]| {
        digits
            .iter()
            .fold(0, |number, digit| number * 10 + u32::from(digit - b'0'))
    };
    (is_written && (1..=8).contains(&digits.len())).then(|| number(digits))
}

/// Whether repetitions in one another repeat nothing more than `times`.
fn is_bounded(node: &Node, times: u32) -> bool {
    match node {
        Node::Empty | Node::Byte(_) | Node::Look(_) => true,
        Node::Group(_, node) => is_bounded(node, times),
        Node::Concat(nodes) | Node::Alternation(nodes) => nodes.iter().all(|node| is_bounded(node, times)),
        Node::Repetition { node, min, max, .. } => {
            let own = max.unwrap_or(*min).max(1);
            own <= times && is_bounded(node, times / own)
        }
    }
}
