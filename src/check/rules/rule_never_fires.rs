//! `rule-never-fires`: an inbound rule takes no call at all.

use crate::diagnostic::{Finding, Rule, Severity, Span};
use crate::model::RuleId;

pub(crate) static RULE: Rule = Rule {
    name: "rule-never-fires",
    severity: Severity::Warning,
    summary: "an inbound rule takes no call at all",
    explanation: "Every call that the rule would take is taken before by a rule of higher `priority` on the same numbers, or its own lists and hours leave no call over. This is proven for all callers, sources and hours of a year, and not guessed from a sample.",
};

pub(crate) fn finding(rule: &RuleId, span: &Span, hiders: &[(&RuleId, &Span)]) -> Finding {
    let finding = Finding::new(&RULE, format!("rule `{rule}` never takes a call"), span.clone(), "never reached");
    if hiders.is_empty() {
        return finding.help("look at its `allow`, `block` and `schedule`: together they leave no call over");
    }
    let named: Vec<String> = hiders.iter().map(|(id, _)| format!("`{id}`")).collect();
    let all = hiders.iter().fold(finding, |finding, (_, span)| finding.and((*span).clone(), "takes its calls before"));
    all.help(format!("raise its `priority` above {}, or take the rule away", named.join(" and ")))
}
