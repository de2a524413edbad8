//! `number-claimed-twice`: two inbound rules take one number.

use crate::diagnostic::{Finding, Rule, Severity, Span};
use crate::model::E164;

pub(crate) static RULE: Rule = Rule {
    name: "number-claimed-twice",
    severity: Severity::Error,
    summary: "two inbound rules take one number",
    explanation: "A call to a number is decided by one inbound rule. The API refuses a second one with 400, and which came first would be chance. Outbound rules may share numbers. Where the far side is a strowger daemon, inbound rules of different `priority` may share one too.",
};

pub(crate) fn finding(number: E164, span: &Span, first: &Span, other: &str) -> Finding {
    Finding::new(&RULE, format!("{number} is taken by rule `{other}` already"), span.clone(), "taken again here")
        .and(first.clone(), "taken first here")
        .help("leave the number on one of the two rules, or give one of them a `priority`, which a strowger daemon honours")
}
