//! Findings for people: the lines of the files, with what is wrong below them.

use std::fmt::Write;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::item::{Item, Place};
use super::sources::Sources;
use crate::cli::{report, terminal};
use crate::finding::Severity;

/// How much of a line of the source is shown where there is no terminal.
const WIDTH: usize = 140;

/// Each finding with its lines, and how many there are.
pub(super) fn whole(items: &[Item], sources: &Sources) -> String {
    let width = terminal::width();
    let mut printed = String::new();
    let rules: Vec<&Item> = items.iter().filter(|item| item.code == "IST0130").collect();
    // What is said of a rule need not be said of each of its matches.
    let is_shown = |item: &&Item| !rules.iter().any(|rule| item.is_part_of(rule));
    let shown: Vec<&Item> = items.iter().filter(is_shown).collect();
    for item in &shown {
        let _ = writeln!(printed, "{}\n", one(item, sources, width));
    }
    printed.push_str(&terminal::folded(&summary(&shown, sources), width, 2));
    printed
}

fn one(item: &Item, sources: &Sources, width: Option<usize>) -> String {
    let level = match item.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let heading = report::name(item.severity).len() + item.code.len() + 4;
    let title = format!("{}{}", item.subject(), item.message);
    let title = terminal::folded(&title, width.map(|width| width.saturating_sub(heading)), 0);
    let mut title = level.primary_title(&title);
    if !item.code.is_empty() {
        title = title.id(item.code);
    }
    let mut places: Vec<(Place, AnnotationKind, &str)> = Vec::new();
    places.extend(item.place.map(|place| (place, AnnotationKind::Primary, "")));
    places.extend(
        item.related
            .iter()
            .map(|(place, message)| (*place, AnnotationKind::Context, *message)),
    );
    let mut group = Group::with_title(title);
    while let Some((Place { file, .. }, ..)) = places.first() {
        let file = *file;
        let (here, elsewhere): (Vec<_>, Vec<_>) = places.into_iter().partition(|(place, ..)| place.file == file);
        places = elsewhere;
        group = group.element(snippet(file, sources.text(file), &here));
    }
    Renderer::styled().term_width(width.unwrap_or(WIDTH)).render(&[group])
}

/// The part of a file that has the places, as little as is needed of a long one.
fn snippet<'a>(
    file: &'a str,
    text: &'a str,
    places: &[(Place, AnnotationKind, &'a str)],
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let lines = || places.iter().map(|(place, ..)| place.at.line);
    let first = lines().min().unwrap_or(1);
    let last = lines().max().unwrap_or(1);
    let start = line_start(text, first);
    let end = line_start(text, last + 1);
    let part = text.get(start..end).unwrap_or_default();
    let mut snippet = Snippet::source(part).path(file).line_start(first);
    for (place, kind, label) in places {
        let line = line_start(text, place.at.line);
        let span = extent(text.get(line..).unwrap_or_default(), place.at.column);
        let offset = line.saturating_sub(start);
        let annotation = kind.span(offset + span.start..offset + span.end);
        snippet = snippet.annotation(if label.is_empty() {
            annotation
        } else {
            annotation.label(*label)
        });
    }
    snippet
}

/// Where a line begins; the text's end where it has fewer.
fn line_start(text: &str, line: usize) -> usize {
    match line.checked_sub(2) {
        None => 0,
        Some(skipped) => text
            .match_indices('\n')
            .nth(skipped)
            .map_or(text.len(), |(newline, _)| newline + 1),
    }
}

/// The bytes of what begins at a column: up to the end of the line or of the flow that holds it.
fn extent(rest: &str, column: usize) -> Range<usize> {
    let line = rest.lines().next().unwrap_or_default();
    let start = line
        .char_indices()
        .nth(column.saturating_sub(1))
        .map_or(line.len(), |(at, _)| at);
    let text = line.get(start..).unwrap_or_default();
    let mut depth = 0_usize;
    let mut quote = None;
    let mut last = ' ';
    let mut end = text.len();
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if last == ' ' => quote = Some(c),
            (None, '{' | '[') => depth += 1,
            (None, '}' | ']' | ',') if depth == 0 => {
                end = at;
                break;
            }
            (None, '}' | ']') => depth -= 1,
            (None, '#') if last == ' ' && at > 0 => {
                end = at;
                break;
            }
            _ => {}
        }
        last = c;
    }
    let shown = text.get(..end).unwrap_or_default().trim_end();
    start..start + shown.len().max(usize::from(start < line.len()))
}

/// One line each.
pub(super) fn short(items: &[Item]) -> String {
    let line = |item: &Item| {
        let style = report::style(item.severity);
        let place = item
            .place
            .map(|place| format!("{}:{}: ", place.file, place.at))
            .unwrap_or_default();
        let code = if item.code.is_empty() {
            String::new()
        } else {
            format!("[{}]", item.code)
        };
        let (name, subject) = (report::name(item.severity), item.subject());
        format!("{place}{style}{name}{code}{style:#}: {subject}{}\n", item.message)
    };
    items.iter().map(line).collect()
}

fn summary(items: &[&Item], sources: &Sources) -> String {
    let count = |severity: Severity| items.iter().filter(|item| item.severity == severity).count();
    let found: Vec<String> = [
        (Severity::Error, "error"),
        (Severity::Warning, "warning"),
        (Severity::Info, "note"),
    ]
    .into_iter()
    .filter(|(severity, _)| count(*severity) > 0)
    .map(|(severity, name)| counted(count(severity), name))
    .collect();
    let found = match &found[..] {
        [] => "nothing to report".to_owned(),
        [one] => one.clone(),
        [head @ .., last] => format!("{} and {last}", head.join(", ")),
    };
    let documents = counted(sources.input.resources.len(), "document");
    format!("{documents} in {}: {found}\n", counted(sources.files(), "file"))
}

pub(super) fn counted(count: usize, name: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {name}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_underlined_ends_with_the_value() {
        let shown = |line: &str, column: usize| line.get(extent(line, column)).unwrap().to_owned();
        assert_eq!(shown("  subset: v3  # why\nnext", 3), "subset: v3");
        assert_eq!(shown("- {host: a, subset: v3}", 4), "host: a");
        assert_eq!(shown("- {host: a, ports: [1, 2], x: 'a, b'}", 13), "ports: [1, 2]");
        assert_eq!(shown("- {x: 'a, b', y: 1}", 4), "x: 'a, b'");
        assert_eq!(shown("é: a#b", 1), "é: a#b");
        assert_eq!(shown("x", 9), "");
    }

    #[test]
    fn lines_are_counted_from_one() {
        assert_eq!([1, 2, 3, 9].map(|line| line_start("a\nbc\n", line)), [0, 2, 5, 5]);
    }
}
