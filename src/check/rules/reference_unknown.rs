//! `reference-unknown`: a name refers to nothing.

use crate::diagnostic::{Finding, Rule, Severity, Span, nearest};

pub(crate) static RULE: Rule = Rule {
    name: "reference-unknown",
    severity: Severity::Error,
    summary: "a name refers to nothing",
    explanation: "Rules name numbers, agents and rooms, numbers name gateways, gateways name providers, `only` names environments, and [[adopt]] names rules. Each name has to be that of a table in one of the files. The nearest known name is suggested.",
};

/// `prefix` stands before the name where it is written; `literal` says that it can be replaced there.
pub(crate) fn finding(what: &str, name: &str, span: &Span, known: &[&str], prefix: &str, literal: bool) -> Finding {
    let finding = Finding::new(&RULE, format!("there is no {what} `{name}`"), span.clone(), "refers to nothing");
    match nearest(name, known.iter().copied()) {
        Some(word) if literal => finding
            .help(format!("did you mean `{prefix}{word}`?"))
            // A near name is a guess at what was meant: routing calls by it wants a look.
            .fix(format!("write `{prefix}{word}`"), false, span.clone(), format!("\"{prefix}{word}\"")),
        Some(word) => finding.help(format!("did you mean `{prefix}{word}`?")),
        None if known.is_empty() => finding.help(format!("no {what} is defined in any file")),
        None if known.len() <= 12 => finding.help(format!("known: {}", known.join(", "))),
        None => finding.help(format!("{} are known, none of them is like it", known.len())),
    }
}
