//! Which calls would a plan move, for a person?

use std::fmt::Write;

use jiff::Timestamp;

use crate::model::E164;
use crate::plan::Plan;
use crate::route::{self, Impact, Moved};

/// The calls that change, and that no others do.
pub(super) fn impact(plan: &Plan) -> String {
    text(&route::impact(&plan.before, &plan.after, Timestamp::now()))
}

/// How many numbers of one line are listed.
const NUMBERS_SHOWN: usize = 3;

fn text(impact: &Impact) -> String {
    let Impact { moved, unproven } = impact;
    if moved.is_empty() && unproven.is_empty() {
        return "Calls: every call that comes in is decided as before.\n\n".to_owned();
    }
    let mut numbers: Vec<E164> = moved.iter().flat_map(|moved| moved.numbers.iter().copied()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let (count, s) = (numbers.len(), if numbers.len() == 1 { "" } else { "s" });
    let mut out = match unproven.is_empty() {
        true => format!("Calls to {count} number{s} change; every other call that comes in is decided as before.\n"),
        false => {
            format!("Calls to {count} number{s} change; of the numbers named last, not all calls were compared.\n")
        }
    };
    for change in moved {
        let _ = writeln!(out, "  {}", line(change));
    }
    for unproven in unproven {
        let _ = writeln!(out, "  {}: not proven: {}", list(&unproven.numbers), unproven.why);
    }
    out.push('\n');
    out
}

fn line(change: &Moved) -> String {
    let which: Vec<&str> =
        [&change.callers, &change.sources, &change.hours].into_iter().flatten().map(String::as_str).collect();
    let mut line = list(&change.numbers);
    if change.some {
        line.push_str(", some calls");
    }
    if !which.is_empty() {
        let _ = write!(line, ", {}", which.join(", "));
    }
    let _ = match change.before == change.after {
        true => write!(line, ": {}, with another {}", change.after, change.what.join(", ")),
        false => write!(line, ": {} → {}", change.before, change.after),
    };
    // Where everybody's calls move, any call is an example.
    if !which.is_empty() || change.some {
        let (offer, at) = &change.witness;
        let from = offer.calling.map_or_else(|| "anonymous".to_owned(), |number| number.to_string());
        let _ = write!(
            line,
            "\n      such as --to {} --from {from}",
            change.numbers.first().copied().map_or_else(String::new, |n| n.to_string())
        );
        if let (Some(_), route::Way::Inbound(arrival)) = (&change.sources, &offer.way) {
            let _ = write!(line, " --source {}", arrival.source);
        }
        if change.hours.is_some() {
            let _ = write!(line, " --at {at}");
        }
    }
    line
}

fn list(numbers: &[E164]) -> String {
    let texts: Vec<String> = numbers.iter().map(E164::to_string).collect();
    match texts.get(..NUMBERS_SHOWN) {
        Some(first) if texts.len() > NUMBERS_SHOWN => {
            format!("{} and {} more", first.join(", "), texts.len() - NUMBERS_SHOWN)
        }
        _ => texts.join(", "),
    }
}
