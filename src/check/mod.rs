//! What do the files mean, and do they fit together?
//!
//! Resolves every name and reads every value. All findings of all files come out of one run; a table that is
//! broken already is known by name, so that what refers to it is not reported as well.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod beyond;
mod preset;
mod proof;
mod registry;
mod resolve;
mod rule;
pub(crate) mod rules;
mod test_case;

pub use registry::{all, find};

use crate::diagnostic::{Finding, Report, Severity};
use crate::model::Exchange;
use crate::syntax::Draft;

/// What checking comes to.
#[derive(Debug)]
pub struct Checked {
    /// The configuration; `None` when a finding is an error.
    pub exchange: Option<Exchange>,
    /// All findings, warnings included.
    pub report: Report,
}

/// Resolves and checks a draft: its tables, what its rules do together, and its tests.
pub fn check(draft: Draft) -> Checked {
    with(draft, |exchange, spans| {
        let mut findings = proof::proofs(exchange, spans);
        findings.extend(proof::tests(exchange, spans));
        findings
    })
}

/// Resolves and checks a draft without its tests, for those who look at each of them.
pub fn check_untested(draft: Draft) -> Checked {
    with(draft, proof::proofs)
}

fn with(draft: Draft, more: impl FnOnce(&Exchange, &resolve::Spans) -> Vec<Finding>) -> Checked {
    let files = draft.files.clone();
    let (parts, mut findings, spans) = resolve::resolve(draft);
    let refused = |findings: &[Finding]| findings.iter().any(|finding| finding.rule.severity == Severity::Error);
    let mut exchange = match parts {
        Some(parts) if !refused(&findings) => Exchange::assemble(parts).ok(),
        _ => None,
    };
    // Of tables that do not fit together nothing can be proven.
    if let Some(whole) = &exchange {
        findings.extend(more(whole, &spans));
    }
    exchange = exchange.filter(|_| !refused(&findings));
    Checked { exchange, report: Report::new(files, findings) }
}
