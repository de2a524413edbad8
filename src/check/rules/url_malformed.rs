//! `url-malformed`: a URL has the wrong form.

use crate::diagnostic::{Finding, Rule, Severity, Span};

pub(crate) static RULE: Rule = Rule {
    name: "url-malformed",
    severity: Severity::Error,
    summary: "a URL has the wrong form",
    explanation: "An agent is reached over a WebSocket, so its URL begins with `ws://` or `wss://`; an account over HTTP, so its endpoint begins with `http://` or `https://`.",
};

pub(crate) fn finding(text: &str, schemes: &str, span: &Span) -> Finding {
    Finding::new(
        &RULE,
        format!("`{text}` is not a URL that can be used here"),
        span.clone(),
        format!("no {schemes} URL"),
    )
    .help(format!("write the whole URL, beginning with {schemes}"))
}
