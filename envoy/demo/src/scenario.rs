//! `scenario.yaml`: what is applied, what is asked, and what to look for in the answers.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

/// A scenario of `envoy/samples`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// In one line.
    pub title: String,
    /// The page for people, where there is one.
    #[serde(default)]
    pub page: Option<String>,
    /// The arguments of `sample-services`, one service each.
    pub services: Vec<String>,
    /// One after the other.
    pub steps: Vec<Step>,
}

/// Manifests, and what they change.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What is to be seen.
    pub title: String,
    /// Manifests of `testdata/scenarios`, in place of those of the step before.
    #[serde(default)]
    pub apply: Vec<String>,
    /// Requests, one after the other.
    pub ask: Vec<Ask>,
    /// Services whose own logs are counted afterwards.
    #[serde(default)]
    pub logs: Vec<Logged>,
    /// Envoy's statistics, of which the growth is told.
    #[serde(default)]
    pub stats: Vec<String>,
}

/// Requests in a service's own log.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logged {
    /// Which service, with its version.
    pub service: String,
    /// The host it was asked for.
    pub host: String,
}

/// A request, some times over.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// What the table calls it.
    pub title: String,
    /// Where to.
    pub url: String,
    /// The `Host` that is asked for, where it is not the URL's.
    #[serde(default)]
    pub host: Option<String>,
    /// Logs in on the page first.
    #[serde(default)]
    pub user: Option<String>,
    /// More headers.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// How often.
    #[serde(default = "once")]
    pub times: usize,
    /// How many at once.
    #[serde(default = "once")]
    pub at_once: usize,
    /// What a text in the answer means; the first that is there is told.
    #[serde(default)]
    pub look: Vec<Look>,
}

/// A text, and what it means.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// Found in the body or among the headers.
    pub has: String,
    /// What is told then.
    pub say: String,
}

fn once() -> usize {
    1
}

impl Scenario {
    /// Reads a scenario.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_saphyr::from_str(&text).with_context(|| format!("{} is no scenario", path.display()))
    }
}
