//! `destination-missing`: an inbound rule leads nowhere.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "destination-missing",
    severity: Severity::Error,
    summary: "an inbound rule leads nowhere",
    explanation: "A call that a rule takes has to go somewhere: into a `room`, to an `agent`, or both. Without either the caller would be answered by nobody.",
};

pub(crate) fn finding(rule: &str, span: &Span) -> Finding {
    Finding::new(
        &RULE,
        format!("rule `{rule}` takes calls and leads them nowhere"),
        span.clone(),
        "no room and no agent",
    )
    .help("add `room = { mode = \"dynamic\" }`, the name of a room, or an agent")
}
