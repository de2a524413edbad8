//! `number-unrouted`: a number has rules, and at some hours none of them is open.

use jiff::Timestamp;

use crate::diagnostic::{Finding, Rule, Severity, Span};
use crate::model::E164;

pub(crate) static RULE: Rule = Rule {
    name: "number-unrouted",
    severity: Severity::Warning,
    summary: "a number has rules, and at some hours none of them is open",
    explanation: "Calls at those hours are refused with 480. A rule without `schedule` and without `priority` on the same number takes what the others leave over.",
};

pub(crate) fn finding(number: E164, span: &Span, at: Timestamp) -> Finding {
    let message = format!("at some hours no rule takes calls to {number}");
    Finding::new(&RULE, message, span.clone(), format!("closed at {at}, for one"))
        .help("add a rule without `schedule` for the number, which takes what this one leaves over")
}
