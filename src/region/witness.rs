//! A request out of a set.

use std::collections::BTreeMap;

use super::Variable;
use crate::header::map::HeaderMap;

/// A request, and the proxy that has it: whatever is left out may be anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Witness {
    /// The namespace of the proxy.
    pub source_namespace: Option<String>,
    /// The labels of the proxy.
    pub source_labels: BTreeMap<String, String>,
    /// The port it came to.
    pub port: Option<u16>,
    /// Its method.
    pub method: Option<Vec<u8>>,
    /// Its authority.
    pub authority: Option<Vec<u8>>,
    /// Its scheme.
    pub scheme: Option<Vec<u8>>,
    /// Its path without the query.
    pub path: Option<Vec<u8>>,
    /// Its query parameters.
    pub query: Vec<(String, Vec<u8>)>,
    /// Its headers, line by line.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Witness {
    pub(super) fn new<'s, 'm: 's>(lines: impl Iterator<Item = (&'s Variable<'m>, &'s [Vec<u8>])>) -> Self {
        let mut witness = Witness::default();
        for (variable, lines) in lines {
            let text = || lines.first().map(|line| String::from_utf8_lossy(line).into_owned());
            let bytes = || lines.first().cloned();
            match variable {
                Variable::SourceNamespace => witness.source_namespace = text(),
                Variable::SourceLabel(name) => {
                    witness
                        .source_labels
                        .extend(text().map(|value| ((*name).to_owned(), value)));
                }
                Variable::Port => witness.port = text().and_then(|port| port.parse().ok()),
                Variable::Path => witness.path = bytes(),
                Variable::Method => witness.method = bytes(),
                Variable::Authority => witness.authority = bytes(),
                Variable::Scheme => witness.scheme = bytes(),
                Variable::Header(name) => witness
                    .headers
                    .extend(lines.iter().map(|line| ((*name).to_owned(), line.clone()))),
                Variable::QueryParameter(name) => {
                    witness.query.extend(bytes().map(|value| ((*name).to_owned(), value)))
                }
            }
        }
        witness
    }

    /// Its path with its query.
    pub fn path_and_query(&self) -> Vec<u8> {
        let mut path = self.path.clone().unwrap_or_else(|| b"/".to_vec());
        for (index, (name, value)) in self.query.iter().enumerate() {
            path.push(if index == 0 { b'?' } else { b'&' });
            path.extend([name.as_bytes(), b"=", value].concat());
        }
        path
    }

    /// As headers; what is open is the most usual.
    pub fn headers(&self, authority: &str) -> HeaderMap {
        let or = |value: &Option<Vec<u8>>, usual: &str| value.clone().unwrap_or_else(|| usual.as_bytes().to_vec());
        let mut map = HeaderMap::default();
        map.push(":authority", &or(&self.authority, authority));
        map.push(":path", &self.path_and_query());
        map.push(":method", &or(&self.method, "GET"));
        map.push(":scheme", &or(&self.scheme, "http"));
        self.headers.iter().for_each(|(name, value)| map.push(name, value));
        map
    }
}
