//! What people read, line by line.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use crate::cli::terminal::{self, folded};

pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const MORE: Style = AnsiColor::Green.on_default();
pub(super) const LESS: Style = AnsiColor::Red.on_default();
pub(super) const OTHER: Style = AnsiColor::Yellow.on_default();
/// How many entries of one kind are shown; the JSON has them all.
pub(super) const SHOWN: usize = 50;

/// Lines below one another, each as wide as the terminal.
pub(super) struct Page {
    pub text: String,
    width: Option<usize>,
}

impl Page {
    pub fn new() -> Self {
        Page {
            text: String::new(),
            width: terminal::width(),
        }
    }

    /// A line, indented; what does not fit stands below, further in.
    pub fn line(&mut self, indent: usize, style: Style, line: &str) {
        let line = format!("{:indent$}{style}{line}{style:#}", "");
        let _ = writeln!(self.text, "{}", folded(&line, self.width, indent + 2));
    }

    pub fn gap(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    /// Entries up to a limit, and how many there are beyond.
    pub fn some<T>(&mut self, entries: &[T], indent: usize, mut show: impl FnMut(&mut Page, &T)) {
        entries.iter().take(SHOWN).for_each(|entry| show(self, entry));
        if let Some(more) = entries.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            self.line(indent, DIM, &format!("and {more} more; -o json has them all"));
        }
    }
}
