//! `name-malformed`: a name or id has characters that it cannot have.

use crate::diagnostic::{Finding, Rule, Severity, Span};
use crate::model::Malformed;

pub(crate) static RULE: Rule = Rule {
    name: "name-malformed",
    severity: Severity::Error,
    summary: "a name or id has characters that it cannot have",
    explanation: "Names of tables and aliases are letters, digits, `-` and `_`; a stack name is narrower, because it becomes part of the mark by which this stack's rules are known. An id comes from the far side and has no white space.",
};

pub(crate) fn finding(what: &str, text: &str, why: &Malformed, span: &Span) -> Finding {
    Finding::new(&RULE, format!("`{text}` cannot be {what}"), span.clone(), "not a legal name").help(why.to_string())
}
