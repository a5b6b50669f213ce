//! What Prometheus reads from Envoy.

use std::collections::{BTreeMap, BTreeSet};

/// The samples of an exposition: a name and its labels, and the value.
#[derive(Debug, Clone, PartialEq)]
pub struct Exposition(pub BTreeMap<Series, f64>);

/// A metric's name and its labels.
pub type Series = (String, BTreeMap<String, String>);

/// A series by name and labels.
pub fn series(name: &str, labels: &[(&str, &str)]) -> Series {
    let labels = labels
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    (name.to_owned(), labels.collect())
}

impl Exposition {
    /// Every line has to be a comment or a sample, and no sample may come twice.
    pub fn parse(text: &str) -> Self {
        let mut samples = BTreeMap::new();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
            let mut rest = labels.strip_suffix('}').unwrap();
            let mut read = BTreeMap::new();
            // No value of a label here holds a quote.
            while let Some((label, after)) = rest.split_once("=\"") {
                let (value, after) = after.split_once('"').unwrap();
                assert_eq!(read.insert(label.to_owned(), value.to_owned()), None, "{line}");
                rest = after.strip_prefix(',').unwrap_or(after);
            }
            assert_eq!(rest, "", "{line}");
            let before = samples.insert((name.to_owned(), read), value.parse().unwrap());
            assert_eq!(before, None, "{line}");
        }
        Self(samples)
    }

    /// The names of labels that a metric has in any of its series; none if there is no such metric.
    pub fn labels(&self, metric: &str) -> Option<BTreeSet<&str>> {
        let mut own = self.0.keys().filter(|(name, _)| name == metric).peekable();
        own.peek()?;
        Some(own.flat_map(|(_, labels)| labels.keys().map(String::as_str)).collect())
    }

    /// Those that do not stay at zero, of metrics whose names begin so.
    pub fn counted(&self, begin: &str) -> BTreeMap<Series, f64> {
        let own = self
            .0
            .iter()
            .filter(|((name, _), value)| name.starts_with(begin) && **value != 0.0);
        own.map(|(series, value)| (series.clone(), *value)).collect()
    }
}
