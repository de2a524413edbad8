//! `range-overlaps`: a number stands in two ranges, or in a range and on its own.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "range-overlaps",
    severity: Severity::Error,
    summary: "a number stands in two ranges, or in a range and on its own",
    explanation: "A number has one table or one range, which says on which gateway it stands. Where two hold it, neither says.",
};

pub(crate) fn finding(what: &str, number: impl std::fmt::Display, count: usize, span: &Span, first: &Span) -> Finding {
    let more = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
    Finding::new(&RULE, format!("{what} holds {number}{more}, which is defined already"), span.clone(), "holds it too")
        .and(first.clone(), "defined first here")
        .help("let the range begin later or end earlier, or take the other definition away")
}
