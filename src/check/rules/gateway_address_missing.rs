//! `gateway-address-missing`: a gateway has no address.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "gateway-address-missing",
    severity: Severity::Error,
    summary: "a gateway has no address",
    explanation: "Outbound calls need to know where to go. The address stands in the gateway, or in its provider; some presets have none because the provider gives each customer its own.",
};

pub(crate) fn finding(gateway: &str, span: &Span, provider: Option<&str>) -> Finding {
    let help = match provider {
        Some(name) => {
            format!("provider `{name}` has no address for all its customers; write the one it gave you as `address`")
        }
        None => "write `address = \"sip.example.com\"`, or name a provider that has one".to_owned(),
    };
    Finding::new(&RULE, format!("gateway `{gateway}` has no address"), span.clone(), "`address` is missing here")
        .help(help)
}
