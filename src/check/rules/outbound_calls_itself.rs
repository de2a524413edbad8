//! `outbound-calls-itself`: a call placed by an outbound rule may come back in to its own room.

use crate::diagnostic::{Finding, Rule, Severity, Span};
use crate::model::{E164, RuleId};

pub(crate) static RULE: Rule = Rule {
    name: "outbound-calls-itself",
    severity: Severity::Warning,
    summary: "a call placed by an outbound rule may come back in to its own room",
    explanation: "A call from one of the rule's numbers to that same number goes out to the provider and comes back in, and the inbound rule of the number lets it into the very room that placed it: the room then talks to itself until somebody hangs up.",
};

pub(crate) fn finding(rule: &RuleId, span: &Span, number: E164, inbound: &RuleId, other: &Span) -> Finding {
    let message = format!("a call by rule `{rule}` from {number} to itself comes back into its own room");
    Finding::new(&RULE, message, span.clone(), "goes out here")
        .and(other.clone(), "comes back in here")
        .help(format!("put {number} on `block.callers` of rule `{inbound}`, or give one of the two another room"))
}
