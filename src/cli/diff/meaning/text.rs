//! Differences of meaning for people.

use std::fmt::Write;

use anstyle::Style;

use super::super::page::{BOLD, DIM, LESS, MORE, OTHER, Page, SHOWN};
use super::super::phrase;
use super::super::side::Side;
use super::{Host, Meaning, Named};
use crate::cli::explain::place::place;
use crate::diff::callers::Caller;
use crate::diff::messages::{MessageChange, MessageChangeKind};
use crate::diff::{self, Example, RuleChange, RuleChangeKind};
use crate::explain::RuleReference;

/// What documents mean.
pub(super) fn print(meaning: &Meaning, old: &Side, new: &Side) -> String {
    let mut page = Page::new();
    page.some(&meaning.hosts, 0, |page, host| {
        page.gap();
        self::host(page, host, old, new);
    });
    for (what, changes) in [
        ("clusters", &meaning.clusters),
        ("gateways' listeners", &meaning.listeners),
        ("the filter's options", &meaning.options),
    ] {
        if !changes.is_empty() {
            page.gap();
            page.line(0, BOLD, what);
            messages(&mut page, changes);
        }
    }
    page.gap();
    page.line(0, Style::new(), &conclusion(meaning));
    page.text
}

fn conclusion(meaning: &Meaning) -> String {
    let classes: usize = meaning.hosts.iter().map(|host| host.classes.len()).sum();
    let mut parts = Vec::new();
    if classes > 0 {
        parts.push(phrase::counted(
            classes as u64,
            "class of requests is treated differently",
            "classes of requests are treated differently",
        ));
    }
    let messages = meaning.clusters.len() + meaning.listeners.len() + meaning.options.len();
    if messages > 0 {
        parts.push(phrase::counted(
            messages as u64,
            "part of Envoy's configuration differs",
            "parts of Envoy's configuration differ",
        ));
    }
    let more = if meaning.are_more_callers {
        "; there are more callers than were compared: name one with --from"
    } else {
        ""
    };
    match &parts[..] {
        [] => format!("Every request is treated alike{more}"),
        parts => format!("{}{more}", parts.join(", ")),
    }
}

fn host(page: &mut Page, host: &Host, old: &Side, new: &Side) {
    let by = caller(&host.caller);
    let spoken_of = host.hosts.first().map_or("", String::as_str);
    page.line(0, BOLD, &format!("{}{by}", host.hosts.join(", ")));
    let is_of = |change: &RuleChange, named: &Named| {
        let rule = |side: &Option<diff::Side>| side.as_ref().and_then(|side| side.rule.clone());
        let (was, is) = (rule(&named.class.old), rule(&named.class.new));
        change.new.is_some() && change.new == is || change.new.is_none() && change.old == was
    };
    let mut rest: Vec<&Named> = host.classes.iter().collect();
    page.some(&host.rules, 2, |page, change| {
        rule(page, change, old, new);
        let own: Vec<&Named> = rest.iter().copied().filter(|named| is_of(change, named)).collect();
        rest.retain(|named| !is_of(change, named));
        classes(page, &own, Some(change), spoken_of);
    });
    if host.rules.len() <= SHOWN && !rest.is_empty() {
        page.line(2, BOLD, "requests of other rules");
        classes(page, &rest, None, spoken_of);
    }
    if host.classes.is_empty() {
        page.line(6, DIM, "no request is treated differently");
    }
}

/// Who it is that has the host, where it is not just anyone.
fn caller(caller: &Caller) -> String {
    let mut text = String::new();
    if !caller.is_sidecar() {
        let _ = write!(text, " at {}", caller.gateways.join(", "));
    }
    let _ = write!(text, ", port {}", caller.port);
    let labels = caller.labels.iter().map(|(name, value)| format!("{name}={value}"));
    let mut from: Vec<String> = labels.collect();
    if caller.is_sidecar() && caller.namespace != "default" {
        from.push(format!("ns={}", caller.namespace));
    }
    if !from.is_empty() {
        let _ = write!(text, ", from {}", from.join(","));
    }
    text
}

fn rule(page: &mut Page, change: &RuleChange, old: &Side, new: &Side) {
    let (style, what) = match change.kind {
        RuleChangeKind::Added => (MORE, "+ added   "),
        RuleChangeKind::Gone => (LESS, "- gone    "),
        RuleChangeKind::Moved => (OTHER, "~ moved   "),
        RuleChangeKind::Changed => (OTHER, "~ changed "),
        RuleChangeKind::Rematched => (OTHER, "~ match   "),
        RuleChangeKind::Hidden => (LESS, "- hidden  "),
        RuleChangeKind::Revealed => (MORE, "+ revealed"),
    };
    let named = |rule: &Option<RuleReference>, side: &Side| {
        let rule = rule.as_ref()?;
        let name = if rule.name.is_empty() {
            String::new()
        } else {
            format!(" \"{}\"", rule.name)
        };
        let place = place(rule, &side.input).map(|place| format!("  {place}"));
        Some(format!(
            "{} {}{name}{}",
            rule.virtual_service,
            rule.path(),
            place.unwrap_or_default()
        ))
    };
    let was = change
        .old
        .as_ref()
        .filter(|_| change.new.is_some() && change.old != change.new);
    let was = was.map(|rule| format!(", was {}", rule.path())).unwrap_or_default();
    let is = named(&change.new, new)
        .or_else(|| named(&change.old, old))
        .unwrap_or_default();
    page.line(2, style, &format!("{what} {is}{was}"));
    for condition in &change.conditions {
        page.line(6, Style::new(), &phrase::line(condition, ""));
    }
    if change.is_hidden {
        let reached = match change.kind {
            RuleChangeKind::Gone => "no request reached it",
            RuleChangeKind::Hidden => "no request reaches it any more",
            _ => "no request reaches it",
        };
        page.line(6, DIM, reached);
    }
}

/// Those that only a request with several lines of one header is in are told of last, and together.
fn classes(page: &mut Page, all: &[&Named], change: Option<&RuleChange>, host: &str) {
    let is_strange = |named: &&&Named| named.class.example.as_ref().is_some_and(Example::repeats_a_header);
    let (strange, usual): (Vec<&Named>, Vec<&Named>) = all.iter().partition(is_strange);
    page.some(&usual, 6, |page, named| class(page, named, change, host));
    if let [first, others @ ..] = &strange[..] {
        class(page, first, change, host);
        if !others.is_empty() {
            let count = others.len();
            page.line(
                6,
                DIM,
                &format!("and {count} more with several lines of one header; -o json has them all"),
            );
        }
    }
}

fn class(page: &mut Page, Named { class, .. }: &Named, change: Option<&RuleChange>, host: &str) {
    let same = |side: &diff::Side, rule: Option<&RuleReference>| side.rule.is_some() && side.rule.as_ref() == rule;
    match (&class.old, &class.new) {
        (Some(old), Some(new)) => {
            let is_new = same(new, change.and_then(|change| change.new.as_ref()));
            let is_old = same(old, change.and_then(|change| change.old.as_ref()));
            match (is_old, is_new) {
                (true, true) => {}
                (false, true) => page.line(6, Style::new(), &format!("takes from {}", phrase::taker(old))),
                (true, false) => page.line(6, Style::new(), &format!("leaves to {}", phrase::taker(new))),
                (false, false) => {
                    page.line(
                        6,
                        Style::new(),
                        &format!("from {} to {}", phrase::taker(old), phrase::taker(new)),
                    );
                }
            }
            let indent = if is_old && is_new { 6 } else { 8 };
            for line in phrase::lines(&old.effect, &new.effect, host) {
                page.line(indent, Style::new(), &line);
            }
            example(page, indent, class.example.as_ref());
        }
        (None, Some(_)) => {
            page.line(6, Style::new(), "takes from others as well");
            example(page, 8, class.example.as_ref());
        }
        (Some(_), None) => {
            page.line(6, Style::new(), "leaves to others as well");
            example(page, 8, class.example.as_ref());
        }
        (None, None) => {}
    }
}

fn example(page: &mut Page, indent: usize, example: Option<&Example>) {
    let Some(example) = example else {
        return page.line(indent, DIM, "if any: no such request was found, and none is ruled out");
    };
    let headers: Vec<(String, String)> = example.lines().map(|(name, value)| (name.to_owned(), value)).collect();
    page.line(
        indent,
        DIM,
        &phrase::request(&example.method(), &example.url(), &headers),
    );
}

/// Those that changed alike stand together.
fn messages(page: &mut Page, changes: &[MessageChange]) {
    let mut alike: Vec<(&MessageChange, Vec<&str>)> = Vec::new();
    for change in changes {
        let known = alike.iter_mut().find(|(first, _)| {
            change.kind == MessageChangeKind::Changed && first.kind == change.kind && first.changes == change.changes
        });
        match known {
            Some((_, names)) => names.push(&change.name),
            None => alike.push((change, vec![&change.name])),
        }
    }
    page.some(&alike, 2, |page, (change, names)| {
        let (style, what) = match change.kind {
            MessageChangeKind::Added => (MORE, "+"),
            MessageChangeKind::Gone => (LESS, "-"),
            MessageChangeKind::Changed => (OTHER, "~"),
        };
        names
            .iter()
            .take(3)
            .for_each(|name| page.line(2, style, &format!("{what} {name}")));
        if names.len() > 3 {
            page.line(2, style, &format!("{what} and {} others alike", names.len() - 3));
        }
        page.some(&change.changes, 6, |page, change| {
            page.line(6, Style::new(), &phrase::line(change, ""))
        });
    });
}
