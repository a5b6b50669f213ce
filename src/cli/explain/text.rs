//! An explanation for people.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::place::place;
use crate::cli::input::Input;
use crate::cli::request::Sent;
use crate::cli::terminal;
use crate::explain::{
    Answer, Asked, Because, Change, Choice, Draw, Explanation, HeaderChange, PassedOver, RuleReference, Treatment,
    Verdict,
};
use crate::request::Request;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const YES: Style = AnsiColor::Green.on_default().bold();
const NO: Style = AnsiColor::Red.on_default();
/// How many of the rules before are shown; the JSON has them all.
const SHOWN: usize = 20;

/// The column in which values begin.
const VALUES: usize = 12;

/// A label, and what stands behind it: the labels are one column.
fn field(out: &mut String, label: &str, value: &str) {
    let _ = writeln!(out, "  {label:<9} {value}");
}

/// `near` is the host that may have been meant, where nobody has the request's.
pub(super) fn print(
    sent: &Sent,
    request: &Request,
    explanation: &Explanation,
    drawn: Option<&Draw>,
    near: Option<&str>,
    input: &Input,
) -> String {
    let mut out = format!("{BOLD}{}{BOLD:#}\n", sent.line());
    for (name, value) in &sent.headers {
        let _ = writeln!(out, "{DIM}{name}: {value}{DIM:#}");
    }
    let path = String::from_utf8_lossy(request.path);
    if path != sent.path {
        let _ = writeln!(out, "{DIM}Envoy makes the path {path}{DIM:#}");
    }
    if let Some(host) = &explanation.host {
        let _ = writeln!(out, "\nto {BOLD}{host}{BOLD:#}:");
    }
    passed_over(&mut out, &explanation.passed_over, input);
    match &explanation.verdict {
        Verdict::Untouched { because, cluster } => untouched(&mut out, *because, near, cluster.as_deref()),
        Verdict::NotFound => {
            let _ = writeln!(out, "\n  {NO}404{NO:#}       no rule of the host takes it");
        }
        Verdict::Routed(treatment) => {
            let _ = writeln!(out, "  {YES}yes{YES:#}       {}", rule(&treatment.rule, input));
            out.push('\n');
            treat(&mut out, treatment);
        }
    }
    if let Some(draw) = drawn {
        out.push('\n');
        self::drawn(&mut out, draw);
    }
    terminal::folded(&out, terminal::width(), VALUES)
}

fn rule(rule: &RuleReference, input: &Input) -> String {
    let mut text = format!("{BOLD}{} {}{BOLD:#}", rule.virtual_service, rule.path());
    if let Some((object, http)) = &rule.delegate {
        let _ = write!(text, " by {object} http[{http}]");
    }
    if !rule.name.is_empty() {
        let _ = write!(text, " \"{}\"", rule.name);
    }
    if let Some(place) = place(rule, input) {
        let _ = write!(text, "  {DIM}{place}{DIM:#}");
    }
    text
}

fn passed_over(out: &mut String, passed: &[PassedOver], input: &Input) {
    let hidden = passed.len().saturating_sub(SHOWN);
    if hidden > 0 {
        let _ = writeln!(
            out,
            "  {DIM}{hidden} rules before these do not take it either; -o json has them all{DIM:#}"
        );
    }
    for PassedOver { rule: reference, unmet } in passed.iter().skip(hidden) {
        let _ = writeln!(out, "  {NO}no{NO:#}        {}", rule(reference, input));
        let _ = write!(out, "            {unmet}");
        if unmet.change == Some(Change::Impossible) {
            out.push_str(", as no request can");
        }
        // A plain condition says itself what would meet it.
        if matches!(unmet.asked, Asked::Regex(_))
            && let Some(text) = example(unmet.change.as_ref())
        {
            let _ = write!(out, ", as {text} would");
        }
        out.push('\n');
    }
}

fn example(change: Option<&Change>) -> Option<&str> {
    match change? {
        Change::Path(text) | Change::Header(_, text) | Change::QueryParameter(_, text) => Some(text),
        Change::Port(_) | Change::WithoutHeader(_) | Change::Impossible => None,
    }
}

fn untouched(out: &mut String, because: Because, near: Option<&str>, cluster: Option<&str>) {
    let reason = match because {
        Because::NoVirtualService => "no VirtualService has its host",
        Because::HttpsRedirect => "the Gateway's server sends it to https first",
    };
    let _ = writeln!(
        out,
        "\n  {YES}untouched{YES:#} {reason}: it goes on by the proxy's own routes"
    );
    if let Some(near) = near {
        field(out, "", &format!("did you mean {near}?"));
    }
    if let Some(cluster) = cluster {
        field(out, "to", cluster);
    }
}

/// As `90 %`.
pub(in crate::cli) fn percent(share: f64) -> String {
    let text = format!("{:.4}", share * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

fn treat(out: &mut String, treatment: &Treatment) {
    let of = |probability: f64| {
        let all = probability >= 1.0;
        if all {
            String::new()
        } else {
            format!(", {} of requests", percent(probability))
        }
    };
    if let Some(delay) = &treatment.delay {
        field(
            out,
            "delay",
            &format!("{} ms{}", delay.milliseconds, of(delay.probability)),
        );
    }
    if let Some(abort) = &treatment.abort {
        let grpc = abort
            .grpc_status
            .map(|status| format!(", grpc-status {status}"))
            .unwrap_or_default();
        field(
            out,
            "abort",
            &format!("{}{grpc}{}", abort.status, of(abort.probability)),
        );
        if abort.probability >= 1.0 {
            return;
        }
    }
    match &treatment.answer {
        Answer::Local {
            status, headers, body, ..
        } => {
            field(out, "answer", &format!("{BOLD}{status}{BOLD:#}, by the filter"));
            headers
                .iter()
                .for_each(|(name, value)| field(out, "", &format!("{name}: {value}")));
            if !body.is_empty() {
                field(out, "body", &format!("{body:?}"));
            }
        }
        Answer::Upstream {
            destinations,
            timeout_milliseconds,
            retries,
            mirrors,
        } => {
            for choice in destinations {
                let subset = if choice.subset.is_empty() {
                    String::new()
                } else {
                    format!(" {}", choice.subset)
                };
                let share = percent(choice.probability);
                field(
                    out,
                    "to",
                    &format!("{BOLD}{share:>5}{subset}{BOLD:#}  {}", choice.cluster),
                );
            }
            let alike = |get: &dyn Fn(&Choice) -> String| {
                let mut texts: Vec<String> = destinations.iter().map(get).collect();
                texts.dedup();
                texts
            };
            for path in alike(&|choice| choice.path.clone().unwrap_or_default())
                .iter()
                .filter(|path| !path.is_empty())
            {
                field(out, "path", path);
            }
            for authority in alike(&|choice| choice.authority.clone().unwrap_or_default())
                .iter()
                .filter(|text| !text.is_empty())
            {
                field(out, "authority", authority);
            }
            type Changes<'c> = &'c dyn Fn(&Choice) -> Vec<String>;
            let sides: [(&str, Changes); 2] = [
                ("request", &|choice| shown(choice).map(changed).collect()),
                ("response", &|choice| {
                    choice.response_headers.iter().map(changed).collect()
                }),
            ];
            for (side, changes) in sides {
                let several = alike(&|choice| changes(choice).join("\n")).len() > 1;
                for choice in destinations.iter().take(if several { destinations.len() } else { 1 }) {
                    let whose = if several {
                        format!("{} ", choice.subset)
                    } else {
                        String::new()
                    };
                    changes(choice)
                        .iter()
                        .for_each(|change| field(out, side, &format!("{whose}{change}")));
                }
            }
            if let Some(timeout) = timeout_milliseconds {
                field(out, "timeout", &format!("{timeout} ms"));
            }
            field(out, "retries", &self::retries(retries));
            for mirror in mirrors {
                field(out, "copy to", &format!("{}{}", mirror.cluster, of(mirror.probability)));
            }
        }
    }
}

/// The path and the authority say themselves that they were others.
fn shown(choice: &Choice) -> impl Iterator<Item = &HeaderChange> {
    let originals = ["x-envoy-original-path", "x-envoy-original-host"];
    choice
        .headers
        .iter()
        .filter(move |change| !originals.contains(&change.name()))
}

fn retries(retries: &crate::explain::Retries) -> String {
    if retries.attempts == 0 {
        return "none".to_owned();
    }
    let each = retries
        .per_try_milliseconds
        .map(|each| format!(", {each} ms each"))
        .unwrap_or_default();
    let whose = if retries.is_default { ", Istio's default" } else { "" };
    format!("{} on {}{each}{whose}", retries.attempts, retries.on.replace(',', ", "))
}

fn changed(change: &HeaderChange) -> String {
    match change {
        HeaderChange::Set(name, value) => format!("= {name}: {value}"),
        HeaderChange::Add(name, value) => format!("+ {name}: {value}"),
        HeaderChange::Remove(name) => format!("- {name}"),
    }
}

fn drawn(out: &mut String, draw: &Draw) {
    let mut parts = Vec::new();
    parts.extend(draw.delay_milliseconds.map(|delay| format!("waits {delay} ms")));
    parts.extend(draw.abort.map(|status| format!("is aborted with {status}")));
    parts.extend(draw.cluster.as_ref().map(|cluster| format!("goes to {cluster}")));
    parts.extend(draw.mirrors.iter().map(|cluster| format!("is copied to {cluster}")));
    if parts.is_empty() {
        parts.push("draws nothing".to_owned());
    }
    field(out, "drawn", &parts.join(", "));
}
