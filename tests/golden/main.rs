//! The goldens: what istiod's own routes did with 20,000 requests, against what Switchyard does with them.
//!
//! `cargo test --test golden`, or with `GOLDEN_DIR=path` over another folder of the same form.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod case;
mod compare;
mod differences;
mod envoy;
mod explained;
#[path = "../goldens/mod.rs"]
mod goldens;
mod library;
mod outcome;
mod report;
mod router;
mod shares;
#[path = "../e2e/support/mod.rs"]
#[allow(dead_code)]
mod support;
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
    if names.peek().is_some() && !names.any(|name| "golden library envoy".contains(&name)) {
        return ExitCode::SUCCESS;
    }
    let cases: Vec<_> = goldens::cases(&goldens::folder())
        .into_iter()
        .filter(|case| !case.expected.is_empty())
        .collect();
    let library = Mutex::new((Report::default(), Vec::new()));
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let case = case::Case::new(case);
            let (found, possible) = library::run(&case);
            let mut library = library.lock().unwrap();
            library.0.extend(found);
            library.1.push((case, possible));
        }
    };
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    let (library, mut cases) = library.into_inner().unwrap();
    println!("{}", library.checks("library"));
    let envoy = envoy::run(&mut cases, false);
    println!("{}", envoy.checks("envoy"));
    cases.retain(|(case, _)| case.has_mirrors());
    let native = envoy::run(&mut cases, true);
    let mut parts = vec![("library", library), ("envoy", envoy)];
    // Of a folder of somebody's choice nothing may be mirrored.
    if !cases.is_empty() {
        parts.push(("envoy, nativeMirrors", native));
    }
    parts.iter().for_each(|(name, part)| println!("{}", part.summary(name)));
    for (name, part) in &parts {
        part.disagreements()
            .iter()
            .for_each(|line| println!("  {name}: {line}"));
    }
    // A folder of somebody's choice may be about nothing but a difference.
    let is_whole = std::env::var_os("GOLDEN_DIR").is_none();
    let is_good = |part: &Report| part.is_good() && (!is_whole || part.agrees_nearly_always());
    if parts.iter().all(|(_, part)| is_good(part)) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
