//! `adopt-conflicts`: two adoptions contradict each other.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "adopt-conflicts",
    severity: Severity::Error,
    summary: "two adoptions contradict each other",
    explanation: "Each [[adopt]] leads one live rule to one table. A live rule cannot become two, and a table cannot be two live rules.",
};

pub(crate) fn finding(what: &str, name: &str, span: &Span, first: &Span) -> Finding {
    Finding::new(&RULE, format!("{what} `{name}` is adopted twice"), span.clone(), "again here")
        .and(first.clone(), "first here")
        .help("keep one of the two")
}
