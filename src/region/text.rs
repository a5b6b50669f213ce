//! Text that passes some tests and fails others.
//!
//! Bytes to compare with make a trie, and text differs only in where it leaves the trie: so walking it finds text wherever there is any.
//! A regular expression is opaque to the walk. What the walk finds is held against it, and where nothing fits nothing is said.

use super::Variable;
use super::literal::{Test, Text};
use crate::matcher::regex::Shape;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// This text does.
    Text(Vec<u8>),
    /// There may be such text; this one is it but for the regular expressions.
    Perhaps(Vec<u8>),
    /// No text does.
    Nothing,
}

/// How many places of the trie are looked at; beyond it nothing is said.
const PLACES: usize = 1 << 16;
/// How many texts are held against the regular expressions.
const TRIED: usize = 64;
/// What leaves the trie: unremarkable bytes first.
const LEAVING: &[u8] = b"xyzwvq0123456789abcdefghijklmnoprstu-_~XYZ.ABCDEFGHIJKLMNOPQRSTUVW/";

/// Text of `variable` that passes all of `yes` and none of `no`.
pub(super) fn find<'t, 'm: 't>(
    variable: &Variable,
    yes: impl Iterator<Item = &'t Test<'m>> + Clone,
    no: impl Iterator<Item = &'t Test<'m>> + Clone,
) -> Found {
    let fits = |text: &[u8]| {
        variable.admits(text)
            && yes.clone().all(|test| test.accepts(text))
            && !no.clone().any(|test| test.accepts(text))
    };
    if no
        .clone()
        .any(|test| *test == Test::Any || yes.clone().any(|wanted| wanted == test))
    {
        return Found::Nothing;
    }
    if let Some(exact) = yes.clone().find_map(exact) {
        return found_or_nothing(fits(exact).then(|| exact.to_vec()));
    }
    if let Some(listed) = variable.listed(no.clone().count()) {
        return found_or_nothing(listed.iter().find(|text| fits(text)).map(|text| text.to_vec()));
    }
    if let Some(usual) = variable.usual().iter().find(|text| fits(text)) {
        return Found::Text(usual.to_vec());
    }
    let begins: Vec<Text> = yes.clone().filter_map(beginning).collect();
    let mut walk = Walk::new(yes.clone(), no.clone());
    walk.yes.extend(&begins);
    if *variable == Variable::Path {
        walk.yes.push(SLASH);
    }
    let mut perhaps = None;
    let samples = yes.clone().filter_map(|test| match test {
        Test::Regex(regex) => Some(regex.samples()),
        _ => None,
    });
    if let Some(sample) = samples.flatten().find(|sample| fits(sample)) {
        return Found::Text(sample);
    }
    let complete = walk.run(&mut |text| {
        if fits(text) {
            return Some(text.to_vec());
        }
        perhaps.get_or_insert_with(|| text.to_vec());
        None
    });
    match (complete, perhaps) {
        (Ended::Found(text), _) => Found::Text(text),
        (_, Some(text)) => Found::Perhaps(text),
        (Ended::GaveUp, None) => Found::Perhaps(variable.usual().concat()),
        (Ended::Exhausted, None) => Found::Nothing,
    }
}

static SLASH: &Text<'static> = &Text {
    bytes: std::borrow::Cow::Borrowed(b"/"),
    whole: false,
    ignore_case: false,
};

fn found_or_nothing(text: Option<Vec<u8>>) -> Found {
    text.map_or(Found::Nothing, Found::Text)
}

/// What text that an expression takes begins with.
fn beginning(test: &Test) -> Option<Text<'static>> {
    let Test::Regex(regex) = test else {
        return None;
    };
    let (Shape::Exact(bytes) | Shape::Prefix(bytes) | Shape::Other(bytes)) = regex.shape();
    Some(Text {
        bytes: bytes.into(),
        whole: false,
        ignore_case: false,
    })
}

/// The only text that passes, where a test says it.
fn exact<'t>(test: &'t Test) -> Option<&'t [u8]> {
    match test {
        Test::Text(Text {
            bytes,
            whole: true,
            ignore_case: false,
        }) => Some(bytes),
        _ => None,
    }
}

/// Tests by bytes.
struct Walk<'t, 'm> {
    yes: Vec<&'t Text<'m>>,
    no: Vec<&'t Text<'m>>,
}

enum Ended {
    Found(Vec<u8>),
    Exhausted,
    GaveUp,
}

/// Text so far, and the tests it neither passed nor failed yet.
struct Place<'t, 'm> {
    text: Vec<u8>,
    yes: Vec<&'t Text<'m>>,
    no: Vec<&'t Text<'m>>,
}

impl<'t, 'm> Walk<'t, 'm> {
    fn new(yes: impl Iterator<Item = &'t Test<'m>>, no: impl Iterator<Item = &'t Test<'m>>) -> Self {
        fn texts<'t, 'm>(tests: impl Iterator<Item = &'t Test<'m>>) -> Vec<&'t Text<'m>> {
            tests
                .filter_map(|test| match test {
                    Test::Text(text) => Some(text),
                    _ => None,
                })
                .collect()
        }
        Walk {
            yes: texts(yes),
            no: texts(no),
        }
    }

    /// Offers text that passes the tests until some is taken: at least one of each kind that leaves the trie elsewhere.
    fn run(self, offer: &mut impl FnMut(&[u8]) -> Option<Vec<u8>>) -> Ended {
        let mut places = vec![Place {
            text: Vec::new(),
            yes: self.yes,
            no: self.no,
        }];
        let mut looked = 0;
        let mut offered = 0;
        while let Some(mut place) = places.pop() {
            looked += 1;
            if looked > PLACES || offered > TRIED {
                return Ended::GaveUp;
            }
            if !place.settle() {
                continue;
            }
            let here = place.is_end().then(|| place.text.clone());
            for text in here.into_iter().chain(place.leaving()) {
                offered += 1;
                if let Some(taken) = offer(&text) {
                    return Ended::Found(taken);
                }
            }
            places.extend(place.further());
        }
        Ended::Exhausted
    }
}

impl Place<'_, '_> {
    /// Drops prefixes that are passed; false where one of them must not be.
    fn settle(&mut self) -> bool {
        let length = self.text.len();
        let is_passed = |test: &&Text| !test.whole && test.bytes.len() == length;
        self.yes.retain(|test| !is_passed(test));
        !self.no.iter().any(is_passed)
    }

    /// Whether the text passes as it stands.
    fn is_end(&self) -> bool {
        let ends = |test: &&Text| test.whole && test.bytes.len() == self.text.len();
        self.yes.iter().all(ends) && !self.no.iter().any(ends)
    }

    /// The text with a byte behind it that no test has there, if none has to.
    fn leaving(&self) -> Vec<Vec<u8>> {
        if !self.yes.is_empty() {
            return Vec::new();
        }
        let is_free = |byte: &u8| {
            let mut next = self.no.iter().filter_map(|test| test.bytes.get(self.text.len()));
            !next.any(|taken| taken.eq_ignore_ascii_case(byte))
        };
        let free = LEAVING.iter().copied().filter(is_free).take(2);
        free.map(|byte| [&self.text[..], &[byte]].concat()).collect()
    }

    /// One byte further on, for each byte that some test has there and that makes a difference.
    fn further(&self) -> Vec<Self> {
        let next = |test: &&Text| {
            let byte = test.bytes.get(self.text.len()).copied()?;
            Some((byte, test.ignore_case))
        };
        let asked = if self.yes.is_empty() { &self.no } else { &self.yes };
        let mut bytes: Vec<u8> = Vec::new();
        for (byte, ignore_case) in asked.iter().filter_map(next) {
            let other = byte ^ 0x20;
            let both = ignore_case && byte.is_ascii_alphabetic();
            bytes.extend([Some(byte), both.then_some(other)].into_iter().flatten());
        }
        bytes.sort_unstable();
        bytes.dedup();
        let mut places: Vec<Self> = Vec::new();
        for byte in bytes {
            let stays = |test: &&&Text| {
                next(test)
                    .is_some_and(|(own, ignore_case)| own == byte || ignore_case && own.eq_ignore_ascii_case(&byte))
            };
            let place = Place {
                text: [&self.text[..], &[byte]].concat(),
                yes: self.yes.iter().filter(stays).copied().collect(),
                no: self.no.iter().filter(stays).copied().collect(),
            };
            let is_same = |other: &Self| {
                let same =
                    |a: &[&Text], b: &[&Text]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| std::ptr::eq(*a, *b));
                same(&other.yes, &place.yes) && same(&other.no, &place.no)
            };
            if place.yes.len() == self.yes.len() && !places.iter().any(is_same) {
                places.push(place);
            }
        }
        places
    }
}
