//! `alias-claimed-twice`: two numbers have one alias.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "alias-claimed-twice",
    severity: Severity::Error,
    summary: "two numbers have one alias",
    explanation: "An alias stands for one number wherever a rule uses it, so it may be given only once in all files.",
};

pub(crate) fn finding(alias: &str, span: &Span, first: &Span) -> Finding {
    Finding::new(&RULE, format!("the alias `{alias}` is taken"), span.clone(), "given again here")
        .and(first.clone(), "given first here")
        .help("give one of the numbers another alias")
}
