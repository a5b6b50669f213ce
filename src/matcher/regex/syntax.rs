//! What an expression says, as RE2 reads it in Latin-1 mode: a pattern is bytes, and so is what it matches.
//!
//! The syntax of re2 `re2/parse.cc` with the flags `LikePerl` and `Latin1`, but for `\p{..}` and groups more than 250 deep.

use super::InvalidRegex;

mod class;
mod parser;

pub(super) use class::is_word;

/// An expression, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// Nothing.
    Empty,
    /// One byte of these.
    Byte(ByteSet),
    /// A place between two bytes.
    Look(Look),
    /// A group that captures, by its number.
    Group(usize, Box<Node>),
    /// One behind the other.
    Concat(Vec<Node>),
    /// One of these, the first that leads to a match.
    Alternation(Vec<Node>),
    /// The same several times; without an upper bound where there is none.
    Repetition {
        /// What is repeated.
        node: Box<Node>,
        min: u32,
        max: Option<u32>,
        /// Rather often than seldom.
        greedy: bool,
    },
}

/// A condition on the bytes before and behind a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Of the whole text.
    Start,
    End,
    LineStart,
    LineEnd,
    WordBoundary,
    NotWordBoundary,
}

/// Some of the 256 bytes, a bit for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ByteSet([u64; 4]);

impl ByteSet {
    pub const EMPTY: ByteSet = ByteSet([0; 4]);

    /// All from `first` to `last`.
    pub fn range(first: u8, last: u8) -> Self {
        ByteSet::of(|byte| (first..=last).contains(byte))
    }

    /// All that `takes` takes.
    pub fn of(takes: impl Fn(&u8) -> bool) -> Self {
        let mut set = ByteSet::EMPTY;
        (0..=u8::MAX).filter(takes).for_each(|byte| set.insert(byte));
        set
    }

    /// One alone.
    pub fn one(byte: u8) -> Self {
        let mut set = ByteSet::EMPTY;
        set.insert(byte);
        set
    }

    pub fn contains(&self, byte: u8) -> bool {
        let word = self.0.get(usize::from(byte / 64));
        word.is_some_and(|word| word >> (byte % 64) & 1 == 1)
    }

    fn insert(&mut self, byte: u8) {
        if let Some(word) = self.0.get_mut(usize::from(byte / 64)) {
            *word |= 1 << (byte % 64);
        }
    }

    pub fn union(mut self, other: ByteSet) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(word, more)| *word |= more);
        self
    }

    pub fn negated(self) -> Self {
        ByteSet(self.0.map(|word| !word))
    }

    /// Its bytes in order.
    pub fn bytes(self) -> impl Iterator<Item = u8> + Clone {
        (0..=u8::MAX).filter(move |byte| self.contains(*byte))
    }

    /// Its byte, if there is but one.
    pub fn single(self) -> Option<u8> {
        let ones: u32 = self.0.iter().map(|word| word.count_ones()).sum();
        self.bytes().next().filter(|_| ones == 1)
    }

    /// With the other case of each of its ASCII letters; RE2 in Latin-1 mode knows no others.
    pub fn ignoring_case(self) -> Self {
        let other = |byte: &u8| byte.is_ascii_alphabetic() && self.contains(byte ^ 0x20);
        self.union(ByteSet::of(other))
    }

    /// The bytes that begin or end a run of it: it holds one of such a byte and the byte before, and not the other.
    pub fn borders(self) -> Self {
        let mut last = 0;
        ByteSet(self.0.map(|word| {
            let shifted = word << 1 | last;
            last = word >> 63;
            word ^ shifted
        }))
    }
}

impl Node {
    /// Reads an expression; with it comes the number of its groups.
    pub fn parse(written: &str) -> Result<(Node, usize), InvalidRegex> {
        parser::parse(written)
    }
}
