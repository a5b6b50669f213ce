//! Envoy's access log, as far as it is written.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::Value;

use super::{PATIENCE, POLL};

/// Its lines by the requests' ids.
pub struct Log {
    path: PathBuf,
    read: u64,
    lines: HashMap<String, Value>,
}

impl Log {
    /// Nothing of it is read yet.
    pub fn new(path: PathBuf) -> Log {
        Log {
            path,
            read: 0,
            lines: HashMap::new(),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A request's line, once it is there.
    pub async fn line(&mut self, id: &str) -> Value {
        let begin = Instant::now();
        loop {
            if let Some(line) = self.lines.remove(id) {
                return line;
            }
            assert!(begin.elapsed() < PATIENCE, "{id} is not logged");
            if !self.read_on() {
                tokio::time::sleep(POLL).await;
            }
        }
    }

    /// Reads the whole lines that are new, if there are any.
    fn read_on(&mut self) -> bool {
        let mut file = File::open(&self.path).unwrap();
        file.seek(SeekFrom::Start(self.read)).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        text.truncate(text.rfind('\n').map_or(0, |end| end + 1));
        self.read += text.len() as u64;
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        self.lines
            .extend(lines.map(|line| (line["id"].as_str().unwrap_or_default().to_owned(), line)));
        !text.is_empty()
    }
}
