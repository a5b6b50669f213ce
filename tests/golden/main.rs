//! The goldens: what istiod's own routes did with 20,000 requests, against what Switchyard does with them.
//!
//! `cargo test --test golden`, or with `GOLDEN_DIR=path` over another folder of the same form.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod binomial;
mod case;
mod compare;
mod differences;
mod explained;
#[path = "../goldens/mod.rs"]
mod goldens;
mod library;
mod outcome;
mod report;
mod router;
mod shares;
mod upstreams;

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use report::Report;

fn main() -> ExitCode {
    // `cargo test NAME` comes by here too.
    let mut names = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .peekable();
    if names.peek().is_some() && !names.any(|name| "golden library".contains(&name)) {
        return ExitCode::SUCCESS;
    }
    let cases: Vec<_> = goldens::cases(&goldens::folder())
        .into_iter()
        .filter(|case| !case.expected.is_empty())
        .collect();
    let report = Mutex::new(Report::default());
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let found = library::run(&case::Case::new(case));
            report.lock().unwrap().extend(found);
        }
    };
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    let report = report.into_inner().unwrap();
    print!("{}", report.text("library"));
    // A folder of somebody's choice may be about nothing but a difference.
    let is_whole = std::env::var_os("GOLDEN_DIR").is_none();
    if report.is_good() && (!is_whole || report.agrees_nearly_always()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
