//! The log of an instance: one JSON line for each request it got.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Instant, SystemTime},
};

use axum::http::{HeaderMap, StatusCode, header::HOST, request::Parts};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{instance::Instance, receive::Received};

/// Where the logs of a process go.
pub struct Log {
    /// A file for each instance in here; standard output if absent.
    directory: Option<PathBuf>,
    with_headers: bool,
}

impl Log {
    /// Makes the directory.
    pub fn new(directory: Option<PathBuf>, with_headers: bool) -> io::Result<Self> {
        if let Some(directory) = &directory {
            fs::create_dir_all(directory)
                .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", directory.display())))?;
        }
        Ok(Self {
            directory,
            with_headers,
        })
    }

    pub(crate) fn open(&self, instance: &Instance) -> io::Result<Arc<InstanceLog>> {
        let file = match &self.directory {
            None => None,
            Some(directory) => {
                let path = directory.join(format!("{}.log", instance.id));
                Some(Mutex::new(OpenOptions::new().create(true).append(true).open(path)?))
            }
        };
        Ok(Arc::new(InstanceLog {
            file,
            with_headers: self.with_headers,
            id: instance.id.clone(),
            service: instance.service.name(),
            version: instance.version.clone(),
        }))
    }
}

/// The log of one instance.
pub struct InstanceLog {
    file: Option<Mutex<File>>,
    with_headers: bool,
    id: String,
    service: &'static str,
    version: String,
}

impl InstanceLog {
    fn write(&self, line: &impl Serialize) {
        let Ok(mut text) = serde_json::to_vec(line) else { return };
        text.push(b'\n');
        // A log nobody can read any more must not stop the service.
        let _ = match &self.file {
            Some(file) => file.lock().unwrap_or_else(PoisonError::into_inner).write_all(&text),
            None => io::stdout().lock().write_all(&text),
        };
    }
}

/// One request's line, written when this is dropped: a caller that went away is logged too, without a status.
pub struct Entry {
    log: Arc<InstanceLog>,
    arrived: Instant,
    line: Line,
}

#[derive(Serialize)]
struct Line {
    time: String,
    id: String,
    service: &'static str,
    version: String,
    method: String,
    path: String,
    host: String,
    status: Option<u16>,
    duration_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    body_length: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Map<String, Value>>,
}

impl Entry {
    /// Begins the line of a request that arrives now.
    pub fn begin(log: &Arc<InstanceLog>, request: &Parts) -> Self {
        let line = Line {
            time: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
            id: log.id.clone(),
            service: log.service,
            version: log.version.clone(),
            method: request.method.to_string(),
            path: request
                .uri
                .path_and_query()
                .map(ToString::to_string)
                .unwrap_or_default(),
            host: host(request),
            status: None,
            duration_ms: 0,
            request_id: request.headers.get("x-request-id").map(|value| text(value.as_bytes())),
            body_length: 0,
            body_sha256: None,
            headers: log.with_headers.then(|| headers(&request.headers)),
        };
        Self {
            log: log.clone(),
            arrived: Instant::now(),
            line,
        }
    }

    pub fn received(&mut self, received: &Received) {
        self.line.body_length = received.length;
        self.line.body_sha256 = (received.length > 0).then(|| received.sha256.clone());
    }

    pub fn answered(&mut self, status: StatusCode) {
        self.line.status = Some(status.as_u16());
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.line.duration_ms = u64::try_from(self.arrived.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.log.write(&self.line);
    }
}

/// What the request is addressed to: the Host header, or the authority of an absolute URI.
pub fn host(request: &Parts) -> String {
    match request.headers.get(HOST) {
        Some(host) => text(host.as_bytes()),
        None => request.uri.authority().map(ToString::to_string).unwrap_or_default(),
    }
}

/// Every header by its name, in order of first appearance; values of one name are joined by commas.
pub fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let joined = |name| {
        headers
            .get_all(name)
            .iter()
            .map(|value| text(value.as_bytes()))
            .collect::<Vec<_>>()
            .join(",")
    };
    headers
        .keys()
        .map(|name| (name.to_string(), joined(name).into()))
        .collect()
}

/// Bytes as text that keeps them apart: UTF-8 if they are, else one character for each byte.
pub fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    }
}
