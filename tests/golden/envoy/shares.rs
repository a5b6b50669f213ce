//! The shares that the named cases ask for, by hand.

use futures_util::StreamExt;
use futures_util::stream;

use super::client::Client;
use super::{Asked, Fleet};
use crate::outcome::{Answer, Outcome};
use crate::report::{DRAWS, NEVER, Report};
use crate::support::chance;

/// By so many at once.
const CLIENTS: usize = 8;

/// What is counted.
enum What {
    /// Those that a subset got.
    Subset(&'static str),
    /// Those that were answered so.
    Status(u16),
    /// Those with so many copies.
    Copies(usize),
}
use What::{Copies, Status, Subset};

/// What has which share.
type Shares = &'static [(What, f64)];

/// The case, its request's path, and the shares.
const SHARES: [(&str, &str, Shares); 9] = [
    ("weights-50-50", "/", &[(Subset("v1"), 0.5), (Subset("v3"), 0.5)]),
    ("weights-75-25", "/w", &[(Subset("v1"), 0.75), (Subset("v2"), 0.25)]),
    (
        "weights-three-not-100",
        "/",
        &[(Subset("v1"), 0.25), (Subset("v2"), 0.25), (Subset("v3"), 0.5)],
    ),
    (
        "weights-headers-per-destination",
        "/",
        &[(Subset("v1"), 0.5), (Subset("v2"), 0.5)],
    ),
    ("weights-zero", "/", &[(Subset("v1"), 0.0), (Subset("v2"), 1.0)]),
    ("fault-abort-half", "/", &[(Status(500), 0.5), (Subset("v1"), 1.0)]),
    ("fault-abort-percentage-zero", "/", &[(Status(200), 1.0)]),
    ("mirror-percentage-zero", "/", &[(Copies(0), 1.0)]),
    ("mirrors-several", "/", &[(Copies(2), 1.0)]),
];

impl What {
    fn is(&self, answer: &Answer) -> bool {
        match self {
            Subset(name) => answer.cluster.as_deref().and_then(|cluster| cluster.split('|').nth(2)) == Some(*name),
            Status(status) => answer.status == *status,
            Copies(count) => answer.mirrors.len() == *count,
        }
    }
}

/// Sends the requests of those of a listener's that have shares, and compares what chance has made of them.
pub async fn check(fleet: &mut Fleet<'_>, listener: &[Asked<'_>], report: &mut Report) {
    let case = &listener[0].site.case.name;
    let Some((_, path, shares)) = SHARES.iter().find(|(name, ..)| name == case) else {
        return;
    };
    let mut all = listener.iter();
    let Some(asked) = all.find(|asked| asked.exchange.request.path == *path) else {
        return;
    };
    let senders = stream::iter(0..CLIENTS).map(|sender| async move {
        let mut client = Client::new(asked.address);
        let mut answers = Vec::new();
        for time in (sender..DRAWS as usize).step_by(CLIENTS) {
            let id = format!("{case}:share:{time}");
            let answered = client.send(&asked.exchange.request, &id).await;
            answers.push((id, answered));
        }
        answers
    });
    let answers: Vec<Vec<_>> = senders.buffer_unordered(CLIENTS).collect().await;
    fleet.copies_arrive().await;
    let mut counts = vec![0; shares.len()];
    for (id, answered) in answers.iter().flatten() {
        let Outcome::Answered(answer) = fleet.seen(asked, id, answered).await else {
            continue;
        };
        for (count, (what, _)) in counts.iter_mut().zip(*shares) {
            *count += u64::from(what.is(&answer));
        }
    }
    for (index, (count, (_, expected))) in counts.into_iter().zip(*shares).enumerate() {
        let likely = chance::tail(DRAWS, count, *expected);
        report.share(likely > NEVER, || {
            format!("{case}: share {index} is {expected}, but {count} of {DRAWS}")
        });
    }
}
