//! `caller-malformed`: an allowed caller is neither a number nor a prefix.

use crate::diagnostic::{Finding, Rule, Severity, Span};
use crate::model::Malformed;

pub(crate) static RULE: Rule = Rule {
    name: "caller-malformed",
    severity: Severity::Error,
    summary: "an allowed caller is neither a number nor a prefix",
    explanation: "`allow.callers` takes numbers in E.164 form (`+14155550100`) and prefixes that end in `*` (`+1415*`, or `*` for everybody who shows a number). An entry that cannot be read would admit nobody.",
};

pub(crate) fn finding(text: &str, why: &Malformed, span: &Span) -> Finding {
    Finding::new(&RULE, format!("`{text}` is not a caller"), span.clone(), "admits nobody").help(why.to_string())
}
