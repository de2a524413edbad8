//! `listen-malformed`: an address of the daemon has the wrong form.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "listen-malformed",
    severity: Severity::Error,
    summary: "an address of the daemon has the wrong form",
    explanation: "`api` is an address and a port (`127.0.0.1:7878`), `sip` the same, perhaps after `udp:` or `tcp:`, `advertise` an IP address, and `media_ports` two ports (`10000-20000`). Names are not looked up: where a daemon listens should not depend on a name server.",
};

pub(crate) fn finding(key: &str, text: &str, why: &str, span: &Span) -> Finding {
    Finding::new(&RULE, format!("`{text}` cannot be `{key}`"), span.clone(), "not understood").help(why)
}
