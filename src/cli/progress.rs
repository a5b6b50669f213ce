//! How far long work has come: for a terminal alone.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar on standard error; it shows itself where that is a terminal, and only for work that is worth it.
pub(super) fn bar(length: usize, what: &'static str) -> ProgressBar {
    const SHORT: usize = 10_000;
    if length < SHORT {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(length as u64);
    let template = format!("{{bar:40}} {{human_pos}} of {{human_len}} {what}, {{eta}} to go");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
