//! `protect-matches-nothing`: a guard protects what is not there.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "protect-matches-nothing",
    severity: Severity::Warning,
    summary: "a guard protects what is not there",
    explanation: "No table of the files has a name that this entry of `protect` stands for. A misspelt entry protects nothing just when it is needed. A pattern that is there for what may come later is fine with a `*` alone, such as `rule.*`.",
};

pub(crate) fn finding(text: &str, span: &Span) -> Finding {
    Finding::new(&RULE, format!("`{text}` stands for nothing here"), span.clone(), "protects nothing")
        .help("compare it with the names of the tables")
}
