//! `sources-unknown`: a provider has no addresses to allow.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "sources-unknown",
    severity: Severity::Error,
    summary: "a provider has no addresses to allow",
    explanation: "`provider.NAME` stands for the documented source addresses of that provider. This one has none on record, so the list would admit nobody.",
};

pub(crate) fn finding(provider: &str, span: &Span) -> Finding {
    Finding::new(&RULE, format!("provider `{provider}` has no source addresses"), span.clone(), "admits nobody")
        .help(format!("write `ips = [\"192.0.2.0/24\"]` into [provider.{provider}]"))
}
