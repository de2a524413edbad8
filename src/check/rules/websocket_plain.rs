//! `websocket-plain`: calls would travel to an agent in clear.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "websocket-plain",
    severity: Severity::Error,
    summary: "calls would travel to an agent in clear",
    explanation: "Over `ws:` anybody on the way can listen to the call, change what is said, and read the headers. It \
is taken for addresses of this machine alone, unless the agent says `allow_plain = true`, for instance because the way \
is a private network.",
};

pub(crate) fn finding(url: &str, span: &Span) -> Finding {
    Finding::new(&RULE, format!("`{url}` is not encrypted"), span.clone(), "leaves this machine in clear")
        .help("write `wss://`, or `allow_plain = true` where nobody can listen")
}
