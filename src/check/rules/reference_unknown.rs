//! `reference-unknown`: a name refers to nothing.

use crate::diagnostic::{Finding, Rule, Severity, Span, nearest};

pub(crate) static RULE: Rule = Rule {
    name: "reference-unknown",
    severity: Severity::Error,
    summary: "a name refers to nothing",
    explanation: "Rules name numbers, agents and rooms, numbers name gateways, gateways name providers. Each name has to be that of a table in one of the files. The nearest known name is suggested.",
};

pub(crate) fn finding(what: &str, name: &str, span: &Span, known: &[&str]) -> Finding {
    let finding = Finding::new(&RULE, format!("there is no {what} `{name}`"), span.clone(), "refers to nothing");
    match nearest(name, known.iter().copied()) {
        Some(word) => {
            let finding = finding.help(format!("did you mean `{word}`?"));
            // Only where the whole value is the name: between its quotes may stand more.
            match span.range.len() == name.len() + 2 {
                true => finding.fix(format!("write `{word}`"), false, span.clone(), format!("\"{word}\"")),
                false => finding,
            }
        }
        None if known.is_empty() => finding.help(format!("no {what} is defined in any file")),
        None if known.len() <= 12 => finding.help(format!("known: {}", known.join(", "))),
        None => finding.help(format!("{} are known, none of them is like it", known.len())),
    }
}
