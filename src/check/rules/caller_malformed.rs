//! `caller-malformed`: a caller is neither a number, a prefix nor a range.

use crate::diagnostic::{Finding, Rule, Severity, Span};
use crate::model::Malformed;

pub(crate) static RULE: Rule = Rule {
    name: "caller-malformed",
    severity: Severity::Error,
    summary: "a caller is neither a number, a prefix nor a range",
    explanation: "`allow.callers` takes numbers in E.164 form (`+14155550100`) and prefixes that end in `*` (`+1415*`, or `*` for everybody who shows a number), and ranges (`+14155550100..+14155550199`). An entry that cannot be read would admit nobody.",
};

pub(crate) fn finding(text: &str, why: &Malformed, span: &Span) -> Finding {
    Finding::new(&RULE, format!("`{text}` is not a caller"), span.clone(), "admits nobody").help(why.to_string())
}
