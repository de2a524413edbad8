//! A versioned object.

use serde_json::{Value, json};

use super::Region;
use crate::diagnostic::{Finding, Fix, Report, Severity, Span};

/// The version of the object. It grows when a field changes its meaning or goes; a new field does not change it.
const VERSION: u32 = 1;

pub(super) fn report(report: &Report) -> String {
    let findings: Vec<Value> = report.findings.iter().map(|one| finding(one, report)).collect();
    let report = json!({
        "version": VERSION, "errors": report.count(Severity::Error), "warnings": report.count(Severity::Warning),
        "findings": findings,
    });
    format!("{report:#}\n")
}

fn finding(finding: &Finding, report: &Report) -> Value {
    let labels: Vec<Value> = finding.labels.iter().map(|label| place(report, &label.span, &label.text)).collect();
    json!({
        "name": finding.rule.name, "severity": finding.rule.severity.as_str(), "message": finding.message,
        "help": finding.help, "labels": labels, "fix": finding.fix.as_ref().map(|one| fix(one, report)),
    })
}

fn fix(fix: &Fix, report: &Report) -> Value {
    let edits: Vec<Value> = fix.edits.iter().map(|edit| place(report, &edit.span, &edit.text)).collect();
    json!({ "title": fix.title, "safe": fix.safe, "edits": edits })
}

/// A stretch of a file: lines and columns (in characters) from 1, bytes from 0, ends exclusive.
fn place(report: &Report, span: &Span, text: &str) -> Value {
    let file = report.files.get(span.file);
    let Region { line, column, end_line, end_column } = Region::of(file, span);
    json!({
        "file": &**file.name(), "line": line, "column": column, "endLine": end_line, "endColumn": end_column,
        "start": span.range.start, "end": span.range.end, "text": text,
    })
}
