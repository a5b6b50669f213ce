//! Findings as annotations of GitHub's workflows.

use super::item::Item;
use crate::finding::Severity;

pub(super) fn print(items: &[Item]) -> String {
    let line = |item: &Item| {
        let command = match item.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "notice",
        };
        let mut properties = Vec::new();
        if let Some(place) = &item.place {
            properties.push(format!("file={}", property(place.file)));
            properties.push(format!("line={}", place.at.line));
            properties.push(format!("col={}", place.at.column));
        }
        if !item.code.is_empty() {
            properties.push(format!("title={}", property(item.code)));
        }
        let separator = if properties.is_empty() { "" } else { " " };
        let message = data(&format!("{}{}", item.subject(), item.message));
        format!("::{command}{separator}{}::{message}\n", properties.join(","))
    };
    items.iter().map(line).collect()
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
