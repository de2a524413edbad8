//! `was-conflicts`: a former name is still in use.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "was-conflicts",
    severity: Severity::Error,
    summary: "a former name is still in use",
    explanation: "`was` lists names that a rule had before, so that its live rule is renamed and not made anew. A name that a table still has, or that two rules claim, does not say which rule the live one is.",
};

pub(crate) fn in_use(name: &str, span: &Span, table: &Span) -> Finding {
    Finding::new(&RULE, format!("`{name}` is the name of a rule now"), span.clone(), "called a former name")
        .and(table.clone(), "this rule has it")
        .help("take it out of `was`, or rename the other rule")
}

pub(crate) fn claimed(name: &str, span: &Span, first: &Span) -> Finding {
    Finding::new(&RULE, format!("two rules were `{name}`"), span.clone(), "claimed again here")
        .and(first.clone(), "claimed first here")
        .help("leave the name with the rule that it became")
}
