//! What a command says to the person at the terminal.

use anstream::eprintln;
use anstyle::{AnsiColor, Style};

use super::input::{Input, Resource, Unreadable};
use crate::finding::{Finding, Severity};

const PLACE: Style = Style::new().bold();

pub(super) fn style(severity: Severity) -> Style {
    match severity {
        Severity::Error => AnsiColor::Red.on_default().bold(),
        Severity::Warning => AnsiColor::Yellow.on_default().bold(),
        Severity::Info => AnsiColor::Cyan.on_default().bold(),
    }
}

pub(super) fn name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

/// One sentence about no file in particular.
pub(super) fn line(severity: Severity, message: &str) {
    let style = style(severity);
    eprintln!("{style}{}{style:#}: {message}", name(severity));
}

/// Everything that is to be said of an input, as `file:line:column: severity: ...`.
pub(super) fn findings(input: &Input, findings: &[Finding]) {
    input.unreadable.iter().for_each(unreadable);
    findings.iter().for_each(|finding| {
        let resource = finding.resource.and_then(|index| input.resources.get(index));
        self::finding(finding, resource);
    });
}

/// A document that is no YAML.
pub(super) fn unreadable(Unreadable { file, fault }: &Unreadable) {
    let style = style(Severity::Error);
    eprintln!(
        "{PLACE}{file}:{}:{PLACE:#} {style}error{style:#}: {}",
        fault.at, fault.message
    );
}

/// A finding about one object, or about none.
pub(super) fn finding(finding: &Finding, resource: Option<&Resource>) {
    let style = style(finding.severity);
    let place = resource.map(|Resource { file, node }| format!("{file}:{}: ", node.position(&finding.path)));
    let code = match finding.code {
        "" => String::new(),
        code => format!("[{code}]"),
    };
    let object = match finding.object.kind.as_str() {
        "" => String::new(),
        _ => finding.object.to_string(),
    };
    let subject = [object.as_str(), finding.path.as_str()].join(" ");
    let subject = match subject.trim() {
        "" => String::new(),
        subject => format!("{subject}: "),
    };
    eprintln!(
        "{PLACE}{}{PLACE:#}{style}{}{code}{style:#}: {subject}{}",
        place.unwrap_or_default(),
        name(finding.severity),
        finding.message
    );
}
