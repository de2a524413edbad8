//! `test-malformed`: a value of a `[[test]]` cannot be read.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "test-malformed",
    severity: Severity::Error,
    summary: "a value of a `[[test]]` cannot be read",
    explanation: "A test says which call comes in: `source` is one IP address, `at` a date and a time with an offset or a zone, and `status` that of a refusal, 400 to 699. What cannot be read cannot be tested.",
};

pub(crate) fn finding(message: impl Into<String>, span: &Span, help: impl Into<String>) -> Finding {
    Finding::new(&RULE, message, span.clone(), "cannot be read").help(help)
}
