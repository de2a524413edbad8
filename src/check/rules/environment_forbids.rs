//! `environment-forbids`: an environment sets what only the stack may set.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "environment-forbids",
    severity: Severity::Error,
    summary: "an environment sets what only the stack may set",
    explanation: "The file of an environment gives other values to variables, and may set keys of [account], [guard] and [daemon]. It never brings an object or a variable of its own, so that every environment is the same stack. An object that belongs to some environments only says so itself, with `only = [\"prod\"]`; what differs in it is a variable, which may also be a secret reference.",
};

pub(crate) fn table(what: &str, environment: &str, span: &Span) -> Finding {
    Finding::new(&RULE, format!("an environment may not have {what}"), span.clone(), "only the stack may have it").help(
        format!("move it into a file of the stack; `only = [\"{environment}\"]` keeps an object to this environment"),
    )
}

pub(crate) fn variable(name: &str, span: &Span) -> Finding {
    Finding::new(&RULE, format!("variable `{name}` is not one of the stack's"), span.clone(), "set here alone")
        .help(format!("declare `{name}` under [vars] in a file of the stack too, or take it away"))
}

pub(crate) fn retyped(name: &str, kind: &str, span: &Span, before: &str, first: &Span) -> Finding {
    Finding::new(&RULE, format!("variable `{name}` changes its type"), span.clone(), format!("this is {kind}"))
        .and(first.clone(), format!("declared here as {before}"))
        .help("give it a value of the same type")
}
