//! `range-malformed`: a range of numbers does not go from one number to a later one.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "range-malformed",
    severity: Severity::Error,
    summary: "a range of numbers does not go from one number to a later one",
    explanation: "A range counts from `first` up to `last`, so both have the same number of digits and `last` is not below `first`. A range has at most 10,000 numbers; more is nearly always a digit too many, and can be written as two.",
};

pub(crate) fn finding(message: String, span: &Span, label: &str, first: &Span, help: String) -> Finding {
    Finding::new(&RULE, message, span.clone(), label).and(first.clone(), "begins here").help(help)
}
