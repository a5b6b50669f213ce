//! Whether two outcomes are the same, and where they are not.

use crate::outcome::{Answer, Mirror, Outcome, Upstream};

/// The fields in which an outcome differs from the observed one, as text; none where they agree.
pub fn differences(observed: &Outcome, ours: &Outcome) -> Vec<String> {
    let (observed, ours) = match (observed, ours) {
        (Outcome::Untouched, Outcome::Untouched) => return vec![],
        (Outcome::Answered(observed), Outcome::Answered(ours)) => (observed, ours),
        (Outcome::Untouched, Outcome::Answered(ours)) => {
            return vec![format!("untouched is {} {}", ours.status, ours.details)];
        }
        (Outcome::Answered(observed), Outcome::Untouched) => {
            return vec![format!("{} {} is untouched", observed.status, observed.details)];
        }
    };
    let mut found = Found(Vec::new());
    found.field("status", &observed.status, &ours.status);
    found.field("flags", &observed.flags, &ours.flags);
    found.field("details", &observed.details, &ours.details);
    found.field("cluster", &observed.cluster, &ours.cluster);
    found.field("route", &observed.route, &ours.route);
    found.field("body", &observed.body, &ours.body);
    found.field("attempts", &observed.attempts, &ours.attempts);
    found.field("response_headers", &without_random(observed), &without_random(ours));
    if !took_the_same(observed.took_ms, ours.took_ms) {
        found.field("took_ms", &observed.took_ms, &ours.took_ms);
    }
    match (&observed.upstream, &ours.upstream) {
        (Some(observed), Some(ours)) => found.upstream(observed, ours),
        (None, None) => {}
        _ => found.field("upstream", &observed.upstream, &ours.upstream),
    }
    if !same_mirrors(&observed.mirrors, &ours.mirrors) {
        found.field("mirrors", &observed.mirrors, &ours.mirrors);
    }
    found.0
}

struct Found(Vec<String>);

impl Found {
    fn field<T: PartialEq + std::fmt::Debug>(&mut self, name: &str, observed: &T, ours: &T) {
        if observed != ours {
            self.0.push(format!("{name}: {observed:?}, ours {ours:?}"));
        }
    }

    fn upstream(&mut self, observed: &Upstream, ours: &Upstream) {
        self.field("upstream.method", &observed.method, &ours.method);
        self.field("upstream.path", &observed.path, &ours.path);
        self.field("upstream.authority", &observed.authority, &ours.authority);
        self.field("upstream.headers", &observed.headers, &ours.headers);
        if !meet(&observed.workloads, &ours.workloads) {
            self.field("upstream.workload", &observed.workloads, &ours.workloads);
        }
    }
}

/// Below 150 ms is not written down, and above it is true to within 100.
fn took_the_same(observed: u64, ours: u64) -> bool {
    observed.abs_diff(ours) <= 150
}

/// Any workload of the same cluster is as good as another.
fn meet(observed: &[String], ours: &[String]) -> bool {
    observed.iter().any(|workload| ours.contains(workload))
}

fn same_mirrors(observed: &[Mirror], ours: &[Mirror]) -> bool {
    let mut rest: Vec<&Mirror> = ours.iter().collect();
    observed.len() == ours.len()
        && observed.iter().all(|observed| {
            let same = |mirror: &&Mirror| {
                (&mirror.authority, &mirror.path, &mirror.method)
                    == (&observed.authority, &observed.path, &observed.method)
                    && meet(&observed.workloads, &mirror.workloads)
            };
            rest.iter().position(same).map(|at| rest.remove(at)).is_some()
        })
}

/// The value of a cookie that a hash policy makes is random.
fn without_random(answer: &Answer) -> Vec<(String, String)> {
    let blank = |value: &str| -> Option<String> {
        let (name, rest) = value.split_once("=\"")?;
        let (key, attributes) = rest.split_once('"')?;
        let made = key.len() == 16 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
        made.then(|| format!("{name}=\"\"{attributes}"))
    };
    let headers = answer.response_headers.iter();
    let plain = headers.map(|(name, value)| match blank(value).filter(|_| name == "set-cookie") {
        Some(value) => (name.clone(), value),
        None => (name.clone(), value.clone()),
    });
    plain.collect()
}
