//! `over-limit`: a value is longer than the far side is likely to take.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "over-limit",
    severity: Severity::Warning,
    summary: "a value is longer than the far side is likely to take",
    explanation: "The API documents no limits. What is above these is refused by most services of its kind, or by SIP on the way: labels and tags of 255 characters, 50 tags, 64 kB of metadata, and 1,000 bytes of headers on an INVITE, which over UDP is to stay below 1,300 bytes in all (RFC 3261 section 18.1.1).",
};

pub(crate) fn finding(what: &str, size: usize, max: usize, unit: &str, span: &Span) -> Finding {
    Finding::new(&RULE, format!("{what} has {size} {unit}"), span.clone(), format!("more than {max} {unit}"))
        .help("make it shorter, or try it on the far side before you rely on it")
}
