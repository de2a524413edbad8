//! `source-malformed`: an allowed source is not an address or network.

use crate::diagnostic::{Finding, Rule, Severity, Span};
use crate::model::Malformed;

pub(crate) static RULE: Rule = Rule {
    name: "source-malformed",
    severity: Severity::Error,
    summary: "an allowed source is not an address or network",
    explanation: "`allow.ips` takes IP addresses, networks in CIDR form, and `provider.NAME` for the addresses of a provider. Host names are refused: what a name stands for can change under the list, and a caller must not be able to choose it.",
};

pub(crate) fn finding(text: &str, why: &Malformed, span: &Span) -> Finding {
    Finding::new(&RULE, format!("`{text}` is not a source"), span.clone(), "admits nobody").help(why.to_string())
}
