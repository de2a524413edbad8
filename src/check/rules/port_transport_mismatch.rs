//! `port-transport-mismatch`: a port is that of another transport.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "port-transport-mismatch",
    severity: Severity::Warning,
    summary: "a port is that of another transport",
    explanation: "SIP over UDP and TCP has port 5060, SIP over TLS port 5061 (RFC 3261 section 19.1.2). A provider that listens for TLS on 5061 does not understand what comes there in clear, and the call fails without a word.",
};

pub(crate) fn finding(port: u16, transport: &str, span: &Span, chosen: Option<&Span>, other: &str) -> Finding {
    let finding = Finding::new(
        &RULE,
        format!("port {port} is not that of {transport}"),
        span.clone(),
        format!("the port of {other}"),
    );
    let finding = match chosen {
        Some(chosen) => finding.and(chosen.clone(), "the transport is chosen here"),
        None => finding,
    };
    finding.help(format!(
        "write `transport = \"{}\"`, or the port that the provider has for {transport}",
        other.split(' ').next().unwrap_or_default()
    ))
}
