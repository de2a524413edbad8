//! `number-repeated`: a rule names a number twice.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "number-repeated",
    severity: Severity::Warning,
    summary: "a rule names a number twice",
    explanation: "A rule holds a set of numbers. A number that is named by its alias and again in E.164 form, or again by a pattern, is in it once; one of the two names does nothing.",
};

pub(crate) fn finding(number: impl std::fmt::Display, span: &Span, first: &Span) -> Finding {
    Finding::new(&RULE, format!("{number} is named twice"), span.clone(), "again here")
        .and(first.clone(), "first here")
        .help("take one of the two away")
}
