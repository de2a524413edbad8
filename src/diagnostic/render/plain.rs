//! In sentences, without colour or drawings.

use std::fmt::Write;

use super::clean::{clean, covered};
use crate::diagnostic::{File, Finding, Report};

/// Most characters of a line that are quoted around a place.
const QUOTED_MAX: usize = 120;

pub(super) fn finding(finding: &Finding, report: &Report, out: &mut String) {
    let _ = writeln!(out, "{}[{}]: {}", finding.rule.severity.as_str(), finding.rule.name, covered(&finding.message));
    for (at, label) in finding.labels.iter().enumerate() {
        let file = report.files.get(label.span.file);
        let (line, column) = file.line_column(label.span.range.start);
        let also = if at == 0 { "at" } else { "and at" };
        let name = clean(file.name()).into_owned();
        let _ = writeln!(out, "  {also} {name}, line {line}, column {column}: {}", covered(&label.text));
        let quoted = quoted(file, line, column);
        if !quoted.is_empty() {
            let _ = writeln!(out, "    {quoted}");
        }
    }
    if let Some(help) = &finding.help {
        let _ = writeln!(out, "  help: {}", covered(help));
    }
}

/// The line of a place, or the part of a long one that holds it.
fn quoted(file: &File, line: usize, column: usize) -> String {
    let text = covered(file.line(line));
    let text = text.trim_end();
    if text.chars().count() <= QUOTED_MAX {
        return text.trim_start().to_owned();
    }
    let skipped = column.saturating_sub(1 + QUOTED_MAX / 4);
    let part: String = text.chars().skip(skipped).take(QUOTED_MAX).collect();
    let (before, after) = (skipped > 0, skipped + QUOTED_MAX < text.chars().count());
    format!("{}{part}{}", if before { "…" } else { "" }, if after { "…" } else { "" })
}
