//! `defined-twice`: a table stands in two places.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "defined-twice",
    severity: Severity::Error,
    summary: "a table stands in two places",
    explanation: "The same table in two files would make its meaning depend on the order of the files, so it is refused. Both places are shown.",
};

pub(crate) fn finding(what: &str, span: &Span, first: &Span) -> Finding {
    Finding::new(&RULE, format!("{what} is defined twice"), span.clone(), "defined again here")
        .and(first.clone(), "defined first here")
        .help("keep one of the two")
}
