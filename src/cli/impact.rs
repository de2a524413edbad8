//! Which calls would a plan move, for a person?

use std::fmt::Write;

use crate::plan::Plan;
use crate::route::moved;

/// The dialled numbers whose calls change, and that no others do.
pub(super) fn impact(plan: &Plan) -> String {
    let moved = moved(&plan.before, &plan.after);
    if moved.is_empty() {
        return "Calls: every call is decided as before.\n\n".to_owned();
    }
    let mut out = format!(
        "Calls to {} number{} change; every other call is decided as before.\n",
        moved.len(),
        if moved.len() == 1 { "" } else { "s" }
    );
    for change in &moved {
        let _ = match change.before == change.after {
            true => writeln!(out, "  {}: {}, with another {}", change.number, change.after, change.what.join(", ")),
            false => writeln!(out, "  {}: {} → {}", change.number, change.before, change.after),
        };
    }
    out.push('\n');
    out
}
