//! How is a report shown?
//!
//! One file a form; all of them draw the same value.

mod clean;
mod concise;
mod github;
mod graphical;
mod json;
mod plain;
mod sarif;

use std::collections::BTreeMap;
use std::fmt::Write;

pub(super) use clean::clean;
pub use clean::covered;

use super::{File, Report, Severity, Span};

/// A form of showing findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// With the lines of the file, for people.
    Graphical,
    /// In sentences, without colour or drawings, for screen readers and plain logs.
    Plain,
    /// One line a finding: `file:line:column: error[name]: message`.
    Concise,
    /// A versioned object, for programs.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands that GitHub shows beside the changed lines.
    Github,
}

impl Format {
    /// Every form.
    pub const ALL: [Self; 6] = [Self::Graphical, Self::Plain, Self::Concise, Self::Json, Self::Sarif, Self::Github];

    /// Whether people read it, so that a sentence more does no harm.
    pub fn is_prose(self) -> bool {
        matches!(self, Self::Graphical | Self::Plain)
    }
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

/// Most findings that prose draws; what is beyond is counted by name. More than a few screenfuls are not read.
const DRAWN_MAX: usize = 50;

/// Draws a report. Every form ends with a line end, and an empty report is an empty text (but for JSON and SARIF).
pub fn render(report: &Report, format: Format, look: Look) -> String {
    match format {
        Format::Graphical => drawn(report, |finding, out| graphical::finding(finding, report, look, out)),
        Format::Plain => drawn(report, |finding, out| plain::finding(finding, report, out)),
        Format::Concise => report.findings.iter().map(|finding| concise::finding(finding, report)).collect(),
        Format::Json => json::report(report),
        Format::Sarif => sarif::report(report),
        Format::Github => report.findings.iter().map(|finding| github::finding(finding, report)).collect(),
    }
}

/// The first findings one by one, the others as counts.
fn drawn(report: &Report, mut finding: impl FnMut(&super::Finding, &mut String)) -> String {
    let mut out = String::new();
    for one in report.findings.iter().take(DRAWN_MAX) {
        finding(one, &mut out);
        out.push('\n');
    }
    let rest = report.findings.get(DRAWN_MAX..).unwrap_or_default();
    if rest.is_empty() {
        return out;
    }
    let mut counts: BTreeMap<(Severity, &str), usize> = BTreeMap::new();
    for one in rest {
        *counts.entry((one.rule.severity, one.rule.name)).or_default() += 1;
    }
    let _ = writeln!(out, "… and {} more; see each with `--format concise`:", rest.len());
    for ((severity, name), count) in counts {
        let _ = writeln!(out, "{count:>8} × {}[{name}]", severity.as_str());
    }
    out.push('\n');
    out
}

/// Where a span begins and ends: lines and columns from 1, columns in characters.
struct Region {
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

impl Region {
    fn of(file: &File, span: &Span) -> Self {
        let (line, column) = file.line_column(span.range.start);
        let (end_line, end_column) = file.line_column(span.range.end);
        Self { line, column, end_line, end_column }
    }
}
