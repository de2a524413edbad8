//! `allow-admits-nobody`: an entry of an allow-list admits nobody.

use crate::diagnostic::{Finding, Rule, Severity, Span};
use crate::model::RuleId;

pub(crate) static RULE: Rule = Rule {
    name: "allow-admits-nobody",
    severity: Severity::Warning,
    summary: "an entry of an allow-list admits nobody",
    explanation: "No country code begins with 0, no number has more than 15 digits, and no call comes from an address that is unspecified, multicast or broadcast. Such an entry admits nobody; a list of nothing else closes the rule. So does a list whose every entry is on `block` as well.",
};

pub(crate) fn finding(text: &str, why: &str, span: &Span) -> Finding {
    Finding::new(&RULE, format!("`{text}` admits nobody"), span.clone(), why).help("mend it, or take it away")
}

/// A list that admits nobody though its entries would.
pub(crate) fn in_effect(rule: &RuleId, key: &str, span: &Span) -> Finding {
    let message = format!("`allow.{key}` of rule `{rule}` admits nobody");
    Finding::new(&RULE, message, span.clone(), "every entry is on `block` as well, or admits nobody")
        .help("take entries off `block`, or allow others")
}
