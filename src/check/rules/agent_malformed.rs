//! `agent-malformed`: an agent's settings cannot be used.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "agent-malformed",
    severity: Severity::Error,
    summary: "a setting of an agent cannot be used",
    explanation: "Settings of the connection need a `url` to connect to. `deadline_ms` is from 100 to 60000, for a \
caller waits meanwhile, and `retries` at most 10. Each entry of `fallback` is exactly one of `agent` (one with a \
`url`), `room` (a static one without a PIN, because nobody asks for it) and `status` (from 400 to 699); nothing comes \
after a status. Headers that the WebSocket upgrade itself needs cannot be set.",
};

pub(crate) fn finding(agent: &str, why: &str, span: &Span, help: &str) -> Finding {
    Finding::new(&RULE, format!("agent `{agent}` cannot be used so"), span.clone(), why.to_owned())
        .help(help.to_owned())
}
