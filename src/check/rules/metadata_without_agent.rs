//! `metadata-without-agent`: metadata without an agent to tell it to.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "metadata-without-agent",
    severity: Severity::Warning,
    summary: "metadata without an agent to tell it to",
    explanation: "`metadata` is what an agent is told when it is dispatched, and `ring_until_ready` is about waiting for it. On a rule without an agent they have no effect.",
};

pub(crate) fn finding(rule: &str, key: &str, span: &Span) -> Finding {
    Finding::new(&RULE, format!("rule `{rule}` has `{key}` and no agent"), span.clone(), "has no effect")
        .help(format!("add an `agent`, or take `{key}` away"))
}
