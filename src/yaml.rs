//! YAML and JSON as kubectl reads them, with the position of everything in it.
//!
//! Plain scalars resolve as in [sigs.k8s.io/yaml], which kubectl uses: `on` and `yes` are true, `010` is eight, `1_000` a thousand.
//! Other than there, `y` and `n` are text, for they are people's names for things; a key that comes twice is a fault.
//!
//! [sigs.k8s.io/yaml]: https://github.com/kubernetes-sigs/yaml

use std::fmt;

use granit_parser::{Event, Marker, Parser};

use compose::{Composer, Stop};
pub use node::{Member, Node, Value};

mod compose;
mod node;
mod scalar;

/// Where something stands in its file; both count from one, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character in it.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

impl From<&Marker> for Position {
    fn from(marker: &Marker) -> Self {
        Position {
            line: marker.line(),
            column: marker.col() + 1,
        }
    }
}

/// Why a document cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub at: Position,
    /// What is wrong there, and what to do.
    pub message: String,
}

/// The documents of a file, in order, each read or refused alone. Documents with nothing in them are left out.
pub fn documents(text: &str) -> Vec<Result<Node, Vec<Fault>>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut options = granit_parser::Options::default();
    options.set_emit_comments(false);
    // A key of a JSON file may be a whole line.
    options.simple_key_max_lookahead = 1 << 16;
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut documents = Vec::new();
    loop {
        match parser.next_event() {
            None | Some(Ok((Event::StreamEnd, _))) => return documents,
            Some(Ok((Event::DocumentStart(..), _))) => {
                let mut composer = Composer::new(&mut parser);
                let node = composer.node();
                let faults = composer.into_faults();
                match node {
                    Ok(Node { value: Value::Null, .. }) if faults.is_empty() => {}
                    Ok(node) if faults.is_empty() => documents.push(Ok(node)),
                    Ok(_) => documents.push(Err(faults)),
                    Err(Stop) => {
                        documents.push(Err(faults));
                        if !matches!(parser.proceed_next_document(), Ok(true)) {
                            return documents;
                        }
                    }
                }
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                documents.push(Err(vec![error.into()]));
                if !matches!(parser.proceed_next_document(), Ok(true)) {
                    return documents;
                }
            }
        }
    }
}

impl From<granit_parser::ScanError> for Fault {
    fn from(error: granit_parser::ScanError) -> Self {
        Fault {
            at: error.marker().into(),
            message: format!("is not YAML: {}", error.info()),
        }
    }
}

#[cfg(test)]
mod tests;
