//! How is a plan shown to a person?

use std::fmt::Write;

use similar::TextDiff;

use super::diff::Plan;
use super::step::{Change, Step, Verb};

/// The plan as text, steps in the order in which they are done. Ends with the line that counts.
pub fn text(plan: &Plan) -> String {
    let mut out = String::new();
    for step in &plan.steps {
        describe(&mut out, step);
    }
    for blocked in &plan.blocked {
        let place = blocked.place.as_ref().map_or_else(String::new, |place| format!("  ({place})"));
        let _ = writeln!(out, "! {}{place}\n    cannot be done: {}\n", blocked.object, blocked.reason);
    }
    for note in &plan.notes {
        let _ = writeln!(out, "note: {note}");
    }
    if !plan.notes.is_empty() {
        out.push('\n');
    }
    out.push_str(&summary(plan));
    out
}

fn summary(plan: &Plan) -> String {
    let counts = plan.counts();
    let count = |verb| counts.get(&verb).copied().unwrap_or(0);
    if plan.is_empty() {
        return "Nothing to do: live state is as the files say.\n".to_owned();
    }
    let mut line = format!(
        "Plan: {} to create, {} to update, {} to delete",
        count(Verb::Create),
        count(Verb::Update),
        count(Verb::Delete)
    );
    if !plan.blocked.is_empty() {
        let _ = write!(line, "; {} cannot be done, so nothing will be", plan.blocked.len());
    }
    line.push_str(".\n");
    line
}

fn describe(out: &mut String, step: &Step) {
    let sign = match step.verb {
        Verb::Create => '+',
        Verb::Update => '~',
        Verb::Delete => '-',
        Verb::Prepare => '>',
    };
    let place = step.place.as_ref().map_or_else(String::new, |place| format!("  ({place})"));
    let _ = writeln!(out, "{sign} {}{place}", step.object);
    let _ = writeln!(out, "    because {}", step.reason);
    for change in &step.changes {
        field(out, change);
    }
    out.push('\n');
}

fn field(out: &mut String, change: &Change) {
    let Change { field, before, after } = change;
    match (before, after) {
        (Some(before), Some(after)) if before.contains('\n') || after.contains('\n') => {
            let _ = writeln!(out, "    {field}:");
            for line in TextDiff::from_lines(before, after).iter_all_changes() {
                let text = line.value().trim_end_matches('\n');
                let _ = writeln!(out, "      {} {text}", line.tag());
            }
        }
        (Some(before), Some(after)) => {
            let _ = writeln!(out, "    {field}: {before} → {after}");
        }
        (Some(before), None) => {
            let _ = writeln!(out, "    {field}: {} → (not set)", before.replace('\n', "\n      "));
        }
        (None, Some(after)) => {
            let _ = writeln!(out, "    {field}: {}", after.replace('\n', "\n      "));
        }
        (None, None) => {}
    }
}
