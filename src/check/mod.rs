//! What do the files mean, and do they fit together?
//!
//! Resolves every name and reads every value. All findings of all files come out of one run; a table that is
//! broken already is known by name, so that what refers to it is not reported as well.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod agent;
mod preset;
mod registry;
mod resolve;
mod rule;
pub(crate) mod rules;

pub use registry::{all, find};

use crate::diagnostic::{Report, Severity};
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

/// Resolves and checks a draft.
pub fn check(draft: Draft) -> Checked {
    let files = draft.files.clone();
    let (parts, findings) = resolve::resolve(draft);
    let refused = findings.iter().any(|finding| finding.rule.severity == Severity::Error);
    let exchange = match parts {
        Some(parts) if !refused => Exchange::assemble(parts).ok(),
        _ => None,
    };
    Checked { exchange, report: Report::new(files, findings) }
}
