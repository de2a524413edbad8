//! `rules-overlap`: two rules of one number would take the same calls, and neither is the other's fallback.

use crate::diagnostic::{Finding, Rule, Severity, Span};
use crate::model::{E164, RuleId};

pub(crate) static RULE: Rule = Rule {
    name: "rules-overlap",
    severity: Severity::Warning,
    summary: "two rules of one number would take the same calls, and only their `priority` decides",
    explanation: "Each of the two takes calls that the other would not, and some that both would; those go to the rule of the higher `priority`. A rule that takes everything which another leaves over is its fallback, and is not reported. `strowger route --why-not RULE` shows for one call why it went to the other.",
};

pub(crate) fn finding(first: &RuleId, span: &Span, second: &RuleId, other: &Span, number: E164) -> Finding {
    let message = format!("rules `{first}` and `{second}` would both take some calls to {number}");
    Finding::new(&RULE, message, other.clone(), "would take them too")
        .and(span.clone(), "takes them, by its higher `priority`")
        .help("narrow `allow` or `schedule` of one of them, if this is not meant")
}
