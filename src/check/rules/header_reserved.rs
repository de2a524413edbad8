//! `header-reserved`: a rule sets a header that belongs to SIP itself.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "header-reserved",
    severity: Severity::Error,
    summary: "a rule sets a header that belongs to SIP itself",
    explanation: "Headers such as Via, From, Contact or Authorization carry the call (RFC 3261 section 20). A rule that set one would break it, or pretend to be somebody else, so only headers of your own can be set.",
};

pub(crate) fn finding(name: &str, span: &Span) -> Finding {
    Finding::new(&RULE, format!("header `{name}` cannot be set"), span.clone(), "belongs to SIP itself")
        .help("use a name of your own, such as `X-Customer-Id`")
}
