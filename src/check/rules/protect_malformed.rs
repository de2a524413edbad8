//! `protect-malformed`: what a guard protects is not named rightly.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "protect-malformed",
    severity: Severity::Error,
    summary: "what a guard protects is not named rightly",
    explanation: "`protect` takes a kind and a name or pattern: `number.*`, `number.+14155550100`, `gateway.us`, `rule.emergency`. Numbers are named in E.164 form or by alias.",
};

pub(crate) fn finding(text: &str, why: &str, span: &Span) -> Finding {
    Finding::new(&RULE, format!("`{text}` protects nothing"), span.clone(), "not understood").help(why)
}
