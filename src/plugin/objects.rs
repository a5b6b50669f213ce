//! A configuration's objects, found by those of the one before it: most stand where they stood, and of what is known by its text nobody
//! has to look for the end.

use std::hash::{DefaultHasher, Hash, Hasher};

use hashbrown::HashMap;

use super::written::{Digest, Sort};
use crate::config::decode::{Json, length};

/// The objects of a configuration.
#[derive(Debug, Default)]
pub(super) struct Objects {
    in_order: Vec<Object>,
    by_text: HashMap<Digest, usize>,
}

/// An object of a configuration.
#[derive(Debug)]
pub(super) struct Object {
    pub digest: Digest,
    /// In bytes.
    pub length: usize,
    /// Its position among the resources.
    pub position: usize,
    pub sort: Sort,
}

/// An object of the next configuration.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    /// Where its text begins.
    begin: *const u8,
    pub length: usize,
    pub digest: Digest,
    /// Its place among the objects, if it was one of them.
    pub before: Option<usize>,
}

/// Goes through the text of the next configuration.
pub(super) struct Search<'o> {
    objects: &'o Objects,
    /// The place of the object that is expected.
    next: usize,
    found: Vec<Found>,
}

impl Objects {
    /// In order.
    pub fn new(objects: Vec<Object>) -> Self {
        let places = objects.iter().zip(0..);
        Objects {
            by_text: places.map(|(object, place)| (object.digest, place)).collect(),
            in_order: objects,
        }
    }

    /// The object at a place.
    pub fn get(&self, place: usize) -> Option<&Object> {
        self.in_order.get(place)
    }

    /// Begins with the first one.
    pub fn search(&self) -> Search<'_> {
        Search {
            objects: self,
            next: 0,
            found: Vec::with_capacity(self.in_order.len()),
        }
    }
}

impl Search<'_> {
    /// How many bytes long the value is that a text begins with: an object as it was, or anything else.
    pub fn length(&mut self, text: &str) -> usize {
        let found = self.as_expected(text).unwrap_or_else(|| self.anywhere(text));
        if let Some(place) = found.before {
            self.next = place + 1;
        }
        self.found.push(found);
        found.length
    }

    fn as_expected(&self, text: &str) -> Option<Found> {
        let object = self.objects.get(self.next)?;
        let is_same = Digest::of(&Json::Raw(text.get(..object.length)?)) == object.digest;
        is_same.then_some(Found {
            begin: text.as_ptr(),
            length: object.length,
            digest: object.digest,
            before: Some(self.next),
        })
    }

    fn anywhere(&self, text: &str) -> Found {
        let length = length(text);
        let digest = Digest::of(&Json::Raw(text.get(..length).unwrap_or_default()));
        Found {
            begin: text.as_ptr(),
            length,
            digest,
            before: self.objects.by_text.get(&digest).copied(),
        }
    }

    /// A hash of all the text, which is the same in every VM.
    pub fn hash(&self, text: &[u8]) -> u64 {
        let mut hasher = DefaultHasher::new();
        let mut end = 0;
        for found in &self.found {
            let begin = found.begin.addr() - text.as_ptr().addr();
            hasher.write(text.get(end..begin).unwrap_or_default());
            found.digest.hash(&mut hasher);
            end = begin + found.length;
        }
        hasher.write(text.get(end..).unwrap_or_default());
        hasher.finish()
    }

    /// What was found of these values, which are raw and stand in the order of the text.
    pub fn found(self, values: &[Json]) -> Vec<Found> {
        let mut found = self.found.into_iter();
        let of = |json: &Json| {
            let Json::Raw(text) = json else { return None };
            found.find(|found| found.begin == text.as_ptr())
        };
        values.iter().filter_map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gone_through<'t>(objects: &Objects, text: &'t str) -> Vec<(&'t str, Option<usize>)> {
        let mut search = objects.search();
        let json = Json::skim_with(text, 1, &mut |text| search.length(text)).unwrap();
        let texts = json.entries().unwrap().iter().map(|json| match json {
            Json::Raw(text) => *text,
            other => panic!("{other:?}"),
        });
        let found = search.found(json.entries().unwrap());
        texts.zip(found).map(|(text, found)| (text, found.before)).collect()
    }

    fn objects(texts: &[&str]) -> Objects {
        let object = |text: &&str| Object {
            digest: Digest::of(&Json::Raw(text)),
            length: text.len(),
            position: 0,
            sort: Sort::Shared,
        };
        Objects::new(texts.iter().map(object).collect())
    }

    #[test]
    fn objects_are_found_wherever_they_stand() {
        let before = objects(&[r#"{"a":1}"#, r#"{"b":2}"#, r#"{"c":[3]}"#]);
        for (after, places) in [
            (r#"[{"a":1}, {"b":2},{"c":[3]}]"#, vec![Some(0), Some(1), Some(2)]),
            (
                r#"[{"x":1},{"a":1},{"b":2},{"c":[3]}]"#,
                vec![None, Some(0), Some(1), Some(2)],
            ),
            (r#"[{"b":2},{"c":[3]}]"#, vec![Some(1), Some(2)]),
            (
                r#"[{"a":1},{"b":3},{"c":[3]},{"d":4}]"#,
                vec![Some(0), None, Some(2), None],
            ),
            (r#"[{"c":[3]},{"a":1},{"a":1}]"#, vec![Some(2), Some(0), Some(0)]),
            (r#"[{"a":1 },5,"{\"b\":2}",{"b":2}]"#, vec![None, None, None, Some(1)]),
            ("[]", vec![]),
        ] {
            let found = gone_through(&before, after);
            let plain = gone_through(&Objects::default(), after);
            let texts =
                |found: &[(&'static str, Option<usize>)]| found.iter().map(|(text, _)| *text).collect::<Vec<_>>();
            assert_eq!(texts(&found), texts(&plain), "{after}");
            assert_eq!(
                found.iter().map(|(_, place)| *place).collect::<Vec<_>>(),
                places,
                "{after}"
            );
        }
    }

    #[test]
    fn the_hash_is_of_all_the_text_whatever_was_known() {
        let text = r#"[{"a":1}, {"b":2}]"#;
        let hash = |objects: &Objects, text: &str| {
            let mut search = objects.search();
            let _ = Json::skim_with(text, 1, &mut |text| search.length(text));
            search.hash(text.as_bytes())
        };
        let (known, nothing) = (objects(&[r#"{"b":2}"#]), Objects::default());
        assert_eq!(hash(&known, text), hash(&nothing, text));
        for (from, to) in [
            (", ", ","),
            (", ", "  "),
            ("1", "2"),
            ("}]", "}] "),
            ("}]", "} "),
            ("[", " "),
        ] {
            let other = text.replacen(from, to, 1);
            assert_ne!(hash(&known, &other), hash(&known, text), "{other}");
        }
    }
}
