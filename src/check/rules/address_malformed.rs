//! `address-malformed`: an address is not a SIP host.

use crate::diagnostic::{Finding, Rule, Severity, Span};
use crate::model::Malformed;

pub(crate) static RULE: Rule = Rule {
    name: "address-malformed",
    severity: Severity::Error,
    summary: "an address is not a SIP host",
    explanation: "An address is a domain name or an IP address and perhaps a port: `sip.example.com`, `sip.example.com:5061`, `192.0.2.7`, `[2001:db8::1]:5060`. It has no `sip:` before it and no parameters after it: the transport has a key of its own.",
};

pub(crate) fn finding(text: &str, why: &Malformed, span: &Span) -> Finding {
    Finding::new(&RULE, format!("`{text}` is not a SIP address"), span.clone(), "this is no host").help(why.to_string())
}
