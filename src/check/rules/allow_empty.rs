//! `allow-empty`: an allow-list does not say what it seems to say.

use crate::diagnostic::{Finding, Rule, Severity, Span};
use crate::model::RuleId;

pub(crate) static RULE: Rule = Rule {
    name: "allow-empty",
    severity: Severity::Warning,
    summary: "an allow-list is empty, or admits nobody",
    explanation: "An empty allow-list is no list: it admits everybody, as the far side reads it. A list whose every entry is on `block` as well admits nobody. Either is rarely what was meant: take the list away, or give it an entry that counts.",
};

pub(crate) fn finding(key: &str, span: &Span) -> Finding {
    Finding::new(&RULE, format!("`allow.{key}` is empty, and so admits everybody"), span.clone(), "no list at all")
        .help("take the list away, or name who may call")
}

pub(crate) fn in_effect(rule: &RuleId, key: &str, span: &Span) -> Finding {
    let message = format!("`allow.{key}` of rule `{rule}` admits nobody");
    Finding::new(&RULE, message, span.clone(), "each of its entries is on `block` as well, or cannot be read")
        .help("take entries off `block`, or allow others")
}
