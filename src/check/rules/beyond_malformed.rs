//! `beyond-malformed`: a schedule, split or failover has a value that cannot be read.

use crate::diagnostic::{Finding, Rule, Severity, Span};
use crate::model::Malformed;

pub(crate) static RULE: Rule = Rule {
    name: "beyond-malformed",
    severity: Severity::Error,
    summary: "a schedule, split or failover has a value that cannot be read",
    explanation: "`schedule` takes an IANA zone, weekly hours (`mon-fri 09:00-17:00`), hours of single dates (`2026-12-24 09:00-12:00`) and dates (`2026-12-25`, `2026-12-31..2027-01-01`). `split` takes `\"agent.NAME\"` and `\"room.NAME\"` with weights, at least one above 0. `failover` takes gateways, and statuses such as `503` or `5xx`; 486, 487 and 6xx say that the callee was reached or will not be reached anywhere, so no failover moves on from them.",
};

pub(crate) fn finding(text: &str, why: &Malformed, span: &Span) -> Finding {
    Finding::new(&RULE, format!("`{text}` cannot be read"), span.clone(), "here").help(why.to_string())
}
