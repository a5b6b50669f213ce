//! Counted requests for people.

use anstyle::Style;

use super::super::page::{BOLD, DIM, LESS, MORE, Page};
use super::super::phrase;
use super::super::side::Side;
use super::Tally;
use crate::cli::explain::place::place;
use crate::cli::explain::text::percent;
use crate::diff;

/// Requests by class.
pub(super) fn print(tally: &Tally, old: &Side, new: &Side) -> String {
    let mut page = Page::new();
    let share = |part: u64| percent((part as f64 / tally.requests.max(1) as f64 * 10_000.0).round() / 10_000.0);
    let text = match (tally.differ, tally.requests) {
        (0, 1) => "The request is treated alike".to_owned(),
        (0, all) => format!("All {all} requests are treated alike"),
        (part, all) => format!("{part} of {all} requests ({}) are treated differently", share(part)),
    };
    page.some(&tally.classes, 0, |page, class| {
        let taker = |taken: &diff::Side, side: &Side| {
            let place = taken.rule.as_ref().and_then(|rule| place(rule, &side.input));
            format!(
                "{}{}",
                phrase::taker(taken),
                place.map(|place| format!("  {place}")).unwrap_or_default()
            )
        };
        page.line(
            0,
            BOLD,
            &format!(
                "{} ({}) to {}",
                phrase::counted(class.requests, "request", "requests"),
                share(class.requests),
                class.host
            ),
        );
        page.line(2, LESS, &format!("- {}", taker(&class.old, old)));
        page.line(2, MORE, &format!("+ {}", taker(&class.new, new)));
        for line in phrase::lines(&class.old.effect, &class.new.effect, &class.host) {
            page.line(6, Style::new(), &line);
        }
        let sent = &class.example;
        let url = format!("{}://{}{}", sent.scheme, sent.authority, sent.path);
        page.line(6, DIM, &phrase::request(&sent.method, &url, &sent.headers));
        page.text.push('\n');
    });
    page.line(0, Style::new(), &text);
    page.text
}
