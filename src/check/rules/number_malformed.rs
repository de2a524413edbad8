//! `number-malformed`: a phone number is not in E.164 form.

use crate::diagnostic::{Finding, Rule, Severity, Span};
use crate::model::{E164, Malformed};

pub(crate) static RULE: Rule = Rule {
    name: "number-malformed",
    severity: Severity::Error,
    summary: "a phone number is not in E.164 form",
    explanation: "A number is `+`, the country code and the rest, digits only: `+14155550100`. No spaces, no national `0`, no `00` for `+`. It is the number's identity, so it has one spelling.",
};

pub(crate) fn finding(text: &str, why: &Malformed, span: &Span) -> Finding {
    let finding =
        Finding::new(&RULE, format!("`{text}` is not a phone number in E.164 form"), span.clone(), "not E.164");
    match E164::from_wire(text) {
        Ok(number) => finding.help(format!("did you mean `{number}`?")),
        Err(_) => finding.help(why.to_string()),
    }
}
