//! `numbers-empty`: a rule has no numbers.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "numbers-empty",
    severity: Severity::Error,
    summary: "a rule has no numbers",
    explanation: "A rule is found by its numbers, so one without any is never used. A pattern such as `branches-*` stands for the aliases that match it, and has to match one at least.",
};

pub(crate) fn finding(rule: &str, span: &Span) -> Finding {
    Finding::new(&RULE, format!("rule `{rule}` has no numbers"), span.clone(), "empty")
        .help("name the numbers by alias or in E.164 form, or take the rule away")
}

pub(crate) fn pattern(text: &str, span: &Span, aliases: usize) -> Finding {
    let finding = Finding::new(&RULE, format!("no alias matches `{text}`"), span.clone(), "stands for no number");
    match aliases {
        0 => finding.help("no number has an alias; give it one with `alias = \"NAME\"`"),
        1 => finding.help("the one alias that there is does not match it"),
        many => finding.help(format!("none of the {many} aliases matches it")),
    }
}
