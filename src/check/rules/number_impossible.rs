//! `number-impossible`: a number has a length that its country has not.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "number-impossible",
    severity: Severity::Error,
    summary: "a number has a length that its country has not",
    explanation: "Each country has numbers of certain lengths, which are known from the numbering plans that libphonenumber collects. A digit too many or too few, or a country code that nobody has, is a typing mistake that would otherwise be created, paid for and never called.",
};

pub(crate) fn finding(number: impl std::fmt::Display, why: &str, span: &Span) -> Finding {
    Finding::new(&RULE, format!("{number} cannot be a phone number"), span.clone(), why)
        .help("compare it with the number that the provider gave you, digit by digit")
}
