//! `header-malformed`: a SIP header has an impossible name or value.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "header-malformed",
    severity: Severity::Error,
    summary: "a SIP header has an impossible name or value",
    explanation: "A header name is a token of RFC 3261 section 25.1 (letters, digits and `-.!%*_+`~'`), and a value is one line.",
};

pub(crate) fn finding(name: &str, why: &str, span: &Span, help: &str) -> Finding {
    Finding::new(&RULE, format!("header `{name}` cannot be used"), span.clone(), why.to_owned()).help(help)
}
