//! `reference-absent`: a name refers to what is not in this environment.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "reference-absent",
    severity: Severity::Error,
    summary: "a name refers to what is not in this environment",
    explanation: "With `only`, an object is there in some environments and absent from the others. What refers to it has to be absent there too, or refer to something else.",
};

pub(crate) fn finding(what: &str, name: &str, span: &Span, only: &Span, environment: Option<&str>) -> Finding {
    let here = environment.map_or_else(|| "without an environment".to_owned(), |name| format!("in `{name}`"));
    Finding::new(&RULE, format!("{what} `{name}` is not there {here}"), span.clone(), "refers to it")
        .and(only.clone(), "only there in these")
        .help("give both the same `only`")
}
