//! `emergency-to-agent`: an emergency line leads to an agent.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "emergency-to-agent",
    severity: Severity::Warning,
    summary: "an emergency line leads to an agent",
    explanation: "A number whose alias says that it is for emergencies is answered by an AI agent. People in need are owed a person, and in many countries the law says so.",
};

pub(crate) fn finding(alias: &str, span: &Span, agent: &Span) -> Finding {
    Finding::new(&RULE, format!("the emergency line `{alias}` leads to an agent"), span.clone(), "an emergency line")
        .and(agent.clone(), "answered by an agent")
        .help("lead it to people; if it is no emergency line, give it another alias")
}
