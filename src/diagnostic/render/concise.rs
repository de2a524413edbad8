//! One line a finding.

use super::clean::covered;
use crate::diagnostic::{Finding, Report};

pub(super) fn finding(finding: &Finding, report: &Report) -> String {
    let Finding { rule, message, .. } = finding;
    let place = finding.labels.first().map_or_else(String::new, |label| {
        let file = report.files.get(label.span.file);
        let (line, column) = file.line_column(label.span.range.start);
        format!("{}:{line}:{column}: ", one_line(file.name()))
    });
    format!("{place}{}[{}]: {}\n", rule.severity.as_str(), rule.name, one_line(message))
}

/// A text of several lines on one: what is read line by line must not be broken by what a file says.
fn one_line(text: &str) -> String {
    covered(text).replace('\r', "").replace('\n', " ")
}
