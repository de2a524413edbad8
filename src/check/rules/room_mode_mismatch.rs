//! `room-mode-mismatch`: a room has keys of the other mode.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "room-mode-mismatch",
    severity: Severity::Error,
    summary: "a room has keys of the other mode",
    explanation: "A static room is one room and needs its `id`. A dynamic room is made for each call, so it has no id, only a `prefix` that says how ids are made.",
};

pub(crate) fn finding(message: &str, span: &Span, label: &str, mode: &Span, help: &str) -> Finding {
    Finding::new(&RULE, message, span.clone(), label).and(mode.clone(), "the mode is chosen here").help(help)
}
