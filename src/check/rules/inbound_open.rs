//! `inbound-open`: a number answers whoever reaches it.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "inbound-open",
    severity: Severity::Warning,
    summary: "a number answers whoever reaches it",
    explanation: "Everybody who can send a packet to the SIP port can call this rule's numbers, and scanners do, day and night: each call costs minutes, an agent's time, or a room full of strangers. Restrict the source to your provider (`allow = { ips = \"provider.NAME\" }`), the callers, or ask for a PIN. If the number is meant to be open, `allow = \"everybody\"` says so.",
};

pub(crate) fn finding(rule: &str, span: &Span) -> Finding {
    Finding::new(&RULE, format!("rule `{rule}` answers whoever reaches it"), span.clone(), "no `allow`, and no PIN")
        .help("add `allow = { ips = \"provider.NAME\" }` or a `pin`, or write `allow = \"everybody\"`")
}
