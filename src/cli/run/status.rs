//! What `run` tells of itself: lines for people on a terminal, a JSON object a line for everything else.

use std::path::Path;
use std::time::SystemTime;

use anstream::eprintln;
use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::manifests::Refused;
use crate::cli::input::{Resource, Unreadable};
use crate::cli::report;
use crate::finding::{Finding, Severity};

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const BUSY: Style = AnsiColor::Yellow.on_default().bold();
const FAINT: Style = Style::new().dimmed();

/// How things stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// Envoy is not up as yet, for the first time or again.
    #[default]
    Starting,
    /// What the status says is served.
    Live,
    /// Requests under way may end.
    Draining,
}

/// What is live, since when, and what is not.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Status {
    pub(super) state: State,
    /// How many changes were applied, the first included.
    pub(super) change: u64,
    /// Since when what is live is, by RFC 3339.
    pub(super) since: String,
    pub(super) objects: usize,
    /// The addresses that are listened on.
    pub(super) listeners: Vec<String>,
    /// Where Envoy's admin interface answers.
    pub(super) admin: String,
    /// Where this status is told.
    pub(super) ready: String,
    /// What was written and is not served.
    pub(super) refused: Vec<Refusal>,
    /// Why the last change as a whole is not served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) problem: Option<String>,
}

/// A document that is not served as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Refusal {
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<String>,
    /// Whether its last good version is served.
    kept: bool,
}

impl From<&Refused> for Refusal {
    fn from(refused: &Refused) -> Self {
        Refusal {
            file: refused.file.to_string(),
            object: refused.object.as_ref().map(ToString::to_string),
            kept: refused.kept,
        }
    }
}

/// Something that happened.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub(super) enum Event<'a> {
    Starting {
        envoy: &'a Path,
        wasm: &'a Path,
    },
    Live {
        #[serde(flatten)]
        status: &'a Status,
        took_ms: u128,
    },
    /// A change as a whole is not taken, by Envoy or before; what was live stays.
    ChangeRefused {
        reason: &'a str,
        log: &'a [String],
    },
    EnvoyEnded {
        status: &'a str,
        log: &'a [String],
        restart_ms: u128,
    },
    Draining {
        seconds: u64,
    },
    Stopped {
        status: &'a str,
    },
}

#[derive(Serialize)]
struct Line<'a, E: Serialize> {
    time: String,
    #[serde(flatten)]
    event: E,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<Place<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Said<'a> {
    Finding {
        severity: &'static str,
        #[serde(skip_serializing_if = "str::is_empty")]
        code: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        object: Option<String>,
        #[serde(skip_serializing_if = "str::is_empty")]
        path: &'a str,
        message: &'a str,
    },
    Envoy {
        level: &'a str,
        message: &'a str,
    },
}

#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    line: usize,
    column: usize,
}

/// Writes to standard error.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reporter {
    /// For machines.
    pub(super) json: bool,
}

impl Reporter {
    pub(super) fn event(self, event: &Event) {
        if self.json {
            return print(event, None);
        }
        match event {
            Event::Starting { envoy, wasm } => {
                eprintln!("{FAINT}starting {} with {}{FAINT:#}", envoy.display(), wasm.display());
            }
            Event::Live { status, took_ms } => live(status, *took_ms),
            Event::ChangeRefused { reason, log } => {
                eprintln!("{BAD}not applied{BAD:#}: {reason}; what was live stays");
                log.iter().for_each(|line| eprintln!("  {FAINT}{line}{FAINT:#}"));
            }
            Event::EnvoyEnded {
                status,
                log,
                restart_ms,
            } => {
                let again = match restart_ms {
                    0 => "it is started again".to_owned(),
                    pause => format!("it is started again in {pause} ms"),
                };
                let said = if log.is_empty() {
                    "it said nothing"
                } else {
                    "its last lines:"
                };
                eprintln!("{BAD}Envoy ended{BAD:#}: {status}; {again}; {said}");
                log.iter().for_each(|line| eprintln!("  {FAINT}{line}{FAINT:#}"));
            }
            Event::Draining { seconds } => {
                eprintln!("{BUSY}draining{BUSY:#}: requests under way have {seconds} s; a second signal ends them");
            }
            Event::Stopped { status } => eprintln!("{FAINT}stopped: {status}{FAINT:#}"),
        }
    }

    pub(super) fn finding(self, finding: &Finding, resource: Option<&Resource>) {
        if !self.json {
            return report::finding(finding, resource);
        }
        let place = resource.map(|Resource { file, node }| {
            let at = node.position(&finding.path);
            Place {
                file,
                line: at.line,
                column: at.column,
            }
        });
        let said = Said::Finding {
            severity: report::name(finding.severity),
            code: finding.code,
            object: (!finding.object.kind.is_empty()).then(|| finding.object.to_string()),
            path: &finding.path,
            message: &finding.message,
        };
        print(&said, place);
    }

    pub(super) fn unreadable(self, unreadable: &Unreadable) {
        if !self.json {
            return report::unreadable(unreadable);
        }
        let Unreadable { file, fault } = unreadable;
        let said = Said::Finding {
            severity: report::name(Severity::Error),
            code: "",
            object: None,
            path: "",
            message: &fault.message,
        };
        print(
            &said,
            Some(Place {
                file,
                line: fault.at.line,
                column: fault.at.column,
            }),
        );
    }

    /// A line of Envoy's log, as `warning config: ...`.
    pub(super) fn envoy(self, line: &str) {
        let (level, message) = line.split_once(' ').unwrap_or(("", line));
        if self.json {
            return print(&Said::Envoy { level, message }, None);
        }
        let style = match level {
            "critical" | "error" => BAD,
            "warning" => BUSY,
            _ => FAINT,
        };
        eprintln!("{style}envoy{style:#} {FAINT}{line}{FAINT:#}");
    }
}

/// For when something happens now.
pub(super) fn now() -> String {
    humantime::format_rfc3339_millis(SystemTime::now()).to_string()
}

fn print(event: &impl Serialize, place: Option<Place>) {
    let line = serde_json::to_string(&Line {
        time: now(),
        event,
        place,
    });
    eprintln!("{}", line.unwrap_or_default());
}

/// So many addresses are told to people.
const SHOWN: usize = 4;

fn live(status: &Status, took_ms: u128) {
    let Status {
        change,
        since,
        objects,
        listeners,
        refused,
        ..
    } = status;
    let time = since.get(11..19).unwrap_or_default();
    let objects = match objects {
        1 => "1 object".to_owned(),
        objects => format!("{objects} objects"),
    };
    let not_served = match refused.len() {
        0 => String::new(),
        refused => format!(", {BAD}{refused} refused{BAD:#}"),
    };
    let mut shown = match listeners.is_empty() {
        true => "nothing".to_owned(),
        false => listeners
            .iter()
            .take(SHOWN)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(", "),
    };
    if listeners.len() > SHOWN {
        shown += &format!(" and {} more", listeners.len() - SHOWN);
    }
    eprintln!(
        "{GOOD}live{GOOD:#} since {time}Z: change {change}, {objects}{not_served}, in {took_ms} ms, listening on {shown}"
    );
    for Refusal { file, object, kept } in refused {
        let what = object.as_deref().unwrap_or("what cannot be read of it");
        let instead = match kept {
            true => "the last good version stays",
            false => "nothing in its place",
        };
        eprintln!("  {BAD}refused{BAD:#}: {file}: {what}; {instead}");
    }
}
