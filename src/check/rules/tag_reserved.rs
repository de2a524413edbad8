//! `tag-reserved`: a tag looks like an ownership mark.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "tag-reserved",
    severity: Severity::Error,
    summary: "a tag looks like an ownership mark",
    explanation: "Tags that begin with `strowger:` say which stack owns a rule. They are written by `apply` alone.",
};

pub(crate) fn finding(tag: &str, span: &Span) -> Finding {
    Finding::new(&RULE, format!("the tag `{tag}` is reserved"), span.clone(), "an ownership mark")
        .help("use a tag without `strowger:`")
}
