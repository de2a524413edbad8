//! `unused`: a table is referred to by nothing.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "unused",
    severity: Severity::Warning,
    summary: "a table is referred to by nothing",
    explanation: "A gateway without numbers, a number, agent or room without a rule, a provider without a gateway or allow-list, a variable without a reference: it is checked, and then it does nothing. Often it is what is left of a rename.",
};

pub(crate) fn finding(what: &str, name: &str, span: &Span) -> Finding {
    Finding::new(&RULE, format!("{what} `{name}` is used by nothing"), span.clone(), "unused")
        .help("refer to it, or take the table away")
}
