//! `number-open`: anybody who dials a number joins a room with others.

use crate::diagnostic::{Finding, Rule, Severity, Span};
use crate::model::RuleId;

pub(crate) static RULE: Rule = Rule {
    name: "number-open",
    severity: Severity::Warning,
    summary: "anybody who dials a number joins a room with others",
    explanation: "The rule has no `allow`, no `pin` and no `schedule`, and leads into one room for all of its calls: whoever finds the number hears everybody there. Where that is meant, say so with a list that admits all: `allow = { ips = [\"0.0.0.0/0\", \"::/0\"] }`.",
};

pub(crate) fn finding(rule: &RuleId, span: &Span) -> Finding {
    let message = format!("anybody who dials a number of rule `{rule}` joins its room");
    Finding::new(&RULE, message, span.clone(), "no `allow`, and no `pin`")
        .help("give the room a `pin`, or the rule an `allow`; if it is meant, `allow = { ips = [\"0.0.0.0/0\", \"::/0\"] }` says so")
}
