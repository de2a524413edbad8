//! `useless-key`: a key has no effect beside another one.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "useless-key",
    severity: Severity::Warning,
    summary: "a key has no effect beside another one",
    explanation: "The key is legal, and another part of the file takes its effect away. What looks like a setting and is none misleads whoever reads the file next.",
};

pub(crate) fn finding(message: &str, span: &Span, label: &str, because: Option<(&Span, &str)>) -> Finding {
    let finding = Finding::new(&RULE, message, span.clone(), label);
    let finding = match because {
        Some((span, label)) => finding.and(span.clone(), label),
        None => finding,
    };
    finding.help("take the key away, or change what makes it useless")
}
