//! `metadata-without-agent`: metadata without an agent to tell it to.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "metadata-without-agent",
    severity: Severity::Warning,
    summary: "metadata without an agent to tell it to",
    explanation: "`metadata` is what an agent is told when it is dispatched. On a rule without an agent it has no effect.",
};

pub(crate) fn finding(rule: &str, span: &Span) -> Finding {
    Finding::new(&RULE, format!("rule `{rule}` has metadata and no agent"), span.clone(), "told to nobody")
        .help("add an `agent`, or take the metadata away")
}
