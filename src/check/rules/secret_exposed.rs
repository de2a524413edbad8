//! `secret-exposed`: everybody on this machine may read a secret.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "secret-exposed",
    severity: Severity::Warning,
    summary: "everybody on this machine may read a secret",
    explanation: "The file of a secret is readable by every user and every program here. Let its owner alone read it: `chmod 600 FILE`.",
};

pub(crate) fn finding(path: &str, span: &Span) -> Finding {
    Finding::new(&RULE, format!("everybody on this machine may read {path}"), span.clone(), "a secret")
        .help(format!("run `chmod 600 {path}`"))
}
