//! `allow-admits-everybody`: an allow-list admits everybody.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "allow-admits-everybody",
    severity: Severity::Warning,
    summary: "an allow-list admits everybody",
    explanation: "An empty list is no list: the API reads it as everybody. A network of every address says the same. If everybody is meant, write `allow = \"everybody\"`, which says so to the next reader; if nobody is meant, take the rule away.",
};

pub(crate) fn empty(key: &str, span: &Span) -> Finding {
    Finding::new(&RULE, format!("`{key}` is empty, which admits everybody"), span.clone(), "an empty list is no list")
        .help("name who may call, or write `allow = \"everybody\"`")
}

pub(crate) fn entry(text: &str, span: &Span) -> Finding {
    Finding::new(&RULE, format!("`{text}` admits every address"), span.clone(), "everybody")
        .help("name the provider's networks, or write `allow = \"everybody\"`")
}
