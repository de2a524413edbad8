//! How is a report shown?

use std::fmt::Write;

use miette::{GraphicalReportHandler, GraphicalTheme};

use super::finding::Shown;
use super::{Finding, Report, Severity, Span};

/// A form of showing findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// With the lines of the file, for people.
    Graphical,
    /// One line a finding: `file:line:column: error[name]: message`.
    Concise,
    /// A versioned object, for programs.
    Json,
}

/// How a graphical report looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Whether to use colour.
    pub colour: bool,
    /// Whether to draw with Unicode's lines.
    pub unicode: bool,
    /// Columns of the terminal.
    pub width: usize,
}

/// Most findings that a graphical report draws; what is beyond is counted. More than a screenful is not read.
const DRAWN_MAX: usize = 50;

/// The longest line that is drawn, in bytes; a longer one is no help to the eye.
const LINE_MAX: usize = 2000;

/// Draws a report. Every form ends with a line end, and an empty report is an empty text (but for JSON).
pub fn render(report: &Report, format: Format, look: Look) -> String {
    match format {
        Format::Graphical => graphical(report, look),
        Format::Concise => report.findings.iter().map(|finding| concise(finding, report)).collect(),
        Format::Json => json(report),
    }
}

fn graphical(report: &Report, look: Look) -> String {
    let theme = match (look.colour, look.unicode) {
        (true, true) => GraphicalTheme::unicode(),
        (false, true) => GraphicalTheme::unicode_nocolor(),
        (_, false) => GraphicalTheme::none(),
    };
    let handler = GraphicalReportHandler::new_themed(theme).with_links(false).with_width(look.width);
    let mut out = String::new();
    for finding in report.findings.iter().take(DRAWN_MAX) {
        match drawn(finding, report, &handler) {
            Some(drawing) => out.push_str(&drawing),
            None => out.push_str(&concise(finding, report)),
        }
        out.push('\n');
    }
    if report.findings.len() > DRAWN_MAX {
        let _ = writeln!(out, "… and {} more; see them with --format concise", report.findings.len() - DRAWN_MAX);
    }
    out
}

/// Draws a finding; `None` when a label stands where it cannot be drawn: outside its file, or on an endless line.
fn drawn(finding: &Finding, report: &Report, handler: &GraphicalReportHandler) -> Option<String> {
    let endless = |span: &Span| report.files.get(span.file).line_length(span.range.start) > LINE_MAX;
    if finding.labels.iter().any(|label| endless(&label.span)) {
        return None;
    }
    let mut out = String::new();
    let shown = Shown::new(finding, &report.files);
    handler.render_report(&mut out, &shown).ok()?;
    for other in &shown.others {
        handler.render_report(&mut out, other).ok()?;
    }
    Some(out)
}

fn concise(finding: &Finding, report: &Report) -> String {
    let Finding { rule, message, .. } = finding;
    let place = finding.labels.first().map_or_else(String::new, |label| {
        let file = report.files.get(label.span.file);
        let (line, column) = file.line_column(label.span.range.start);
        format!("{}:{line}:{column}: ", file.name())
    });
    format!("{place}{}[{}]: {message}\n", rule.severity.as_str(), rule.name)
}

fn json(report: &Report) -> String {
    let findings: Vec<_> = report
        .findings
        .iter()
        .map(|finding| {
            let labels: Vec<_> = finding
                .labels
                .iter()
                .map(|label| {
                    let file = report.files.get(label.span.file);
                    let (line, column) = file.line_column(label.span.range.start);
                    let (end_line, end_column) = file.line_column(label.span.range.end);
                    serde_json::json!({
                        "file": &**file.name(), "line": line, "column": column, "endLine": end_line,
                        "endColumn": end_column, "start": label.span.range.start, "end": label.span.range.end,
                        "text": label.text,
                    })
                })
                .collect();
            serde_json::json!({
                "name": finding.rule.name, "severity": finding.rule.severity.as_str(), "message": finding.message,
                "help": finding.help, "labels": labels,
            })
        })
        .collect();
    let report = serde_json::json!({
        "version": 1, "errors": report.count(Severity::Error), "warnings": report.count(Severity::Warning),
        "findings": findings,
    });
    format!("{report:#}\n")
}
