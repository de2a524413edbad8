//! `headers-wrong-direction`: a header map stands on a rule of the other direction.

use crate::diagnostic::{Finding, Rule, Severity, Span};
use crate::model::Direction;

pub(crate) static RULE: Rule = Rule {
    name: "headers-wrong-direction",
    severity: Severity::Error,
    summary: "a header map stands on a rule of the other direction",
    explanation: "`headers_to_attributes` reads headers of calls that come in, so it belongs to inbound rules; `headers` is put on calls that go out, so it belongs to outbound rules. The API answers the other way round with 400.",
};

pub(crate) fn finding(key: &str, direction: Direction, span: &Span, declared: &Span) -> Finding {
    let other = if key == "headers" { "headers_to_attributes" } else { "headers" };
    Finding::new(&RULE, format!("`{key}` has no place on an {direction} rule"), span.clone(), "never used")
        .and(declared.clone(), format!("the rule is {direction}"))
        .help(format!("did you mean `{other}`?"))
}
