//! Lines as wide as the reader's terminal.

use std::env;
use std::io;

use textwrap::{Options, WordSplitter, WrapAlgorithm};

/// Nothing is readable in less.
const NARROWEST: usize = 40;

/// The columns of the terminal that a result goes to; of anything else those that COLUMNS names. None: no line is too long.
pub(super) fn width() -> Option<usize> {
    let own = terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
    let told = || env::var("COLUMNS").ok()?.parse().ok();
    own.or_else(told).map(|width: usize| width.max(NARROWEST))
}

/// Folds lines that are longer than `width` at their spaces; what goes on stands `indent` columns in. Words stay whole, so that names can be
/// copied.
pub(super) fn folded(text: &str, width: Option<usize>, indent: usize) -> String {
    let Some(width) = width else {
        return text.to_owned();
    };
    let indent = " ".repeat(indent);
    let options = Options::new(width)
        .subsequent_indent(&indent)
        .break_words(false)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    let folded = |line: &str| {
        let words = line.trim_start_matches(' ');
        let before = " ".repeat(line.len() - words.len());
        textwrap::fill(words, options.clone().initial_indent(&before))
    };
    text.split('\n').map(folded).collect::<Vec<_>>().join("\n")
}
