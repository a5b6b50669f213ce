//! What all measurements share.

use anyhow::Result;
use indicatif::ProgressBar;

use crate::load::Load;
use crate::measure::Plan;
use crate::site::Programs;

/// The load, the programs, and how thoroughly.
pub struct Bench {
    /// Clients and upstreams.
    pub load: Load,
    /// What is run.
    pub programs: Programs,
    /// How long and how often.
    pub plan: Plan,
    /// Whether to leave out what takes long.
    pub quick: bool,
    progress: ProgressBar,
}

impl Bench {
    /// Nothing has been measured yet.
    pub fn new(programs: Programs, plan: Plan, quick: bool) -> Result<Self> {
        let progress = ProgressBar::new_spinner();
        progress.enable_steady_tick(std::time::Duration::from_millis(500));
        Ok(Bench {
            load: Load::new()?,
            programs,
            plan,
            quick,
            progress,
        })
    }

    /// What is under way, for people who wait.
    pub fn says(&self, what: &str) {
        self.progress.set_message(what.to_owned());
    }

    /// Nothing is any more.
    pub fn done(&self) {
        self.progress.finish_and_clear();
    }
}
