//! `test-failed`: a call of a `[[test]]` is not decided as it expects.

use crate::diagnostic::{Finding, Rule, Severity, Span};
use crate::model::TestCase;
use crate::route::Verdict;

pub(crate) static RULE: Rule = Rule {
    name: "test-failed",
    severity: Severity::Error,
    summary: "a call of a `[[test]]` is not decided as it expects",
    explanation: "The call that the test describes was decided with the function that decides real calls, and came out otherwise than `expect` says. Either a rule has come to do what nobody meant, or the test is out of date. `strowger test` shows all tests, and `strowger route` the whole decision.",
};

pub(crate) fn finding(case: &TestCase, verdict: &Verdict, span: &Span) -> Finding {
    let each = verdict.differences.iter().map(|d| format!("{}: expected {}, got {}", d.what, d.expected, d.got));
    let message = format!("the test \"{}\" fails", case.name);
    let finding = Finding::new(&RULE, message, span.clone(), each.collect::<Vec<_>>().join("; "));
    match verdict.decision.trace.to_string() {
        trace if trace.is_empty() => finding,
        trace => finding.help(format!("it was decided so: {trace}")),
    }
}
