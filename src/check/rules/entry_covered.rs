//! `entry-covered`: an entry of an allow-list is part of another one.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "entry-covered",
    severity: Severity::Warning,
    summary: "an entry of an allow-list is part of another one",
    explanation: "`+1*` admits everybody whom `+1415*` admits, and a network every address in it. The narrower entry does nothing, and whoever takes it away later will wonder why nothing changes.",
};

pub(crate) fn finding(text: &str, by: &str, span: &Span, wider: &Span) -> Finding {
    Finding::new(&RULE, format!("`{text}` is admitted by `{by}` already"), span.clone(), "does nothing")
        .and(wider.clone(), "admits it too")
        .help("take one of the two away")
}
