//! Workflow commands of GitHub Actions.

use super::Region;
use crate::diagnostic::{Finding, Report, Severity};

pub(super) fn finding(finding: &Finding, report: &Report) -> String {
    let command = match finding.rule.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let place = finding.labels.first().map_or_else(String::new, |label| {
        let file = report.files.get(label.span.file);
        let Region { line, column, end_line, end_column } = Region::of(file, &label.span);
        // GitHub takes columns only for a stretch of one line.
        let columns = if line == end_line { format!(",col={column},endColumn={end_column}") } else { String::new() };
        format!("file={},line={line},endLine={end_line}{columns},", property(file.name().trim_start_matches("./")))
    });
    let mut message = finding.message.clone();
    if let Some(help) = &finding.help {
        message = format!("{message}\nhelp: {help}");
    }
    format!("::{command} {place}title={}::{}\n", property(finding.rule.name), data(&message))
}

/// Escapes a message as `escapeData` of actions/toolkit does: a line end would end the command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property as `escapeProperty` of actions/toolkit does.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
