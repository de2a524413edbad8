//! With the lines of the file.

use miette::{GraphicalReportHandler, GraphicalTheme};

use super::{Look, plain};
use crate::diagnostic::finding::Shown;
use crate::diagnostic::{Finding, Report};

/// The longest line that is drawn, in bytes: a longer one would fill the screen and hide what it is about.
const LINE_MAX: usize = 2000;

pub(super) fn finding(finding: &Finding, report: &Report, look: Look, out: &mut String) {
    let theme = match (look.colour, look.unicode) {
        (true, true) => GraphicalTheme::unicode(),
        (false, true) => GraphicalTheme::unicode_nocolor(),
        (_, false) => GraphicalTheme::none(),
    };
    let handler = GraphicalReportHandler::new_themed(theme).with_links(false).with_width(look.width);
    let long = finding.labels.iter().any(|label| {
        let file = report.files.get(label.span.file);
        let (first, _) = file.line_column(label.span.range.start);
        let (last, _) = file.line_column(label.span.range.end);
        (first.saturating_sub(1)..=last + 1).any(|line| file.line(line).len() > LINE_MAX)
    });
    let begun = out.len();
    let shown = Shown::new(finding, &report.files);
    let drawn = |out: &mut String| {
        handler.render_report(out, &shown)?;
        shown.others.iter().try_for_each(|other| handler.render_report(out, other))
    };
    // A label that lies outside its file cannot be drawn; the finding itself must not be lost.
    if long || drawn(out).is_err() {
        out.truncate(begun);
        plain::finding(finding, report, out);
    }
}
