//! `numbers-empty`: a rule has no numbers.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "numbers-empty",
    severity: Severity::Error,
    summary: "a rule has no numbers",
    explanation: "A rule is found by its numbers, so one without any is never used.",
};

pub(crate) fn finding(rule: &str, span: &Span) -> Finding {
    Finding::new(&RULE, format!("rule `{rule}` has no numbers"), span.clone(), "empty")
        .help("name the numbers by alias or in E.164 form, or take the rule away")
}
