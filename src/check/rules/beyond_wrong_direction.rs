//! `beyond-wrong-direction`: a key has no meaning in the rule's direction.

use crate::diagnostic::{Finding, Rule, Severity, Span};
use crate::model::Direction;

pub(crate) static RULE: Rule = Rule {
    name: "beyond-wrong-direction",
    severity: Severity::Error,
    summary: "a key has no meaning in the rule's direction",
    explanation: "`priority`, `schedule`, `block` and `split` decide calls that come in, so they stand on inbound rules. `failover` says by which gateways a call goes out, so it stands on outbound rules.",
};

pub(crate) fn finding(key: &str, direction: Direction, span: &Span, at: &Span) -> Finding {
    Finding::new(&RULE, format!("`{key}` has no meaning on an {direction} rule"), span.clone(), "never looked at")
        .and(at.clone(), "the direction is said here")
        .help("take it away, or move it to a rule of the other direction")
}
