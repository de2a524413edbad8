//! What do the files mean, and do they fit together?
//!
//! Resolves every name and reads every value. All findings of all files come out of one run; a table that is
//! broken already is known by name, so that what refers to it is not reported as well.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod agent;
mod allow;
mod beyond;
mod gateways;
mod headers;
mod lengths;
mod names;
mod numbers;
mod plans;
mod preset;
mod proof;
mod registry;
mod resolve;
mod rule;
pub(crate) mod rules;
mod settings;
mod test_case;

pub use registry::{all, find};

use std::path::{Path, PathBuf};

use crate::diagnostic::{Finding, Report, Severity, Span};
use crate::model::{DaemonSettings, Exchange};
use crate::syntax::Draft;

/// What checking comes to.
#[derive(Debug)]
pub struct Checked {
    /// The configuration; `None` when a finding is an error.
    pub exchange: Option<Exchange>,
    /// All findings, warnings included.
    pub report: Report,
    /// How a daemon is to serve, though another part of the files be broken; `None` when this part is.
    pub daemon: Option<DaemonSettings>,
    /// Files that hold secrets, and where they are named.
    secret_files: Vec<(PathBuf, Span)>,
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
    let resolve::Resolved { parts, mut findings, daemon, secret_files, spans } = resolve::resolve(draft);
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
    Checked { exchange, report: Report::new(files, findings), daemon, secret_files }
}

impl Checked {
    /// Adds a warning for every file of a secret that `exposed` says everybody may read.
    pub fn warn_of_exposed_secrets(&mut self, exposed: impl Fn(&Path) -> bool) {
        for (path, span) in std::mem::take(&mut self.secret_files) {
            if exposed(&path) {
                self.report.add(rules::secret_exposed::finding(&path.display().to_string(), &span));
            }
        }
    }
}
