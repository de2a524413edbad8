//! `schema-unknown`: the file is written for another version of the language.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "schema-unknown",
    severity: Severity::Error,
    summary: "the file is written for another version of the language",
    explanation: "`schema` is the version of the language. This program knows version 1.",
};

pub(crate) fn finding(version: u16, span: &Span) -> Finding {
    Finding::new(
        &RULE,
        format!("version {version} of the language is not known"),
        span.clone(),
        "this program knows version 1",
    )
    .help("write `schema = 1`, or use the program that the file was written for")
}
