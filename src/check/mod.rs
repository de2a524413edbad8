//! What do the files mean, and do they fit together?
//!
//! Resolves every name and reads every value. All findings of all files come out of one run; a table that is
//! broken already is known by name, so that what refers to it is not reported as well.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod allow;
mod gateways;
mod headers;
mod lengths;
mod names;
mod numbers;
mod plans;
mod preset;
mod registry;
mod resolve;
mod rule;
pub(crate) mod rules;
mod settings;
mod test_case;

pub use registry::{all, find};

use std::path::{Path, PathBuf};

use crate::diagnostic::{Report, Severity, Span};
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

/// Resolves and checks a draft.
pub fn check(draft: Draft) -> Checked {
    let files = draft.files.clone();
    let resolve::Resolved { parts, findings, daemon, secret_files } = resolve::resolve(draft);
    let refused = findings.iter().any(|finding| finding.rule.severity == Severity::Error);
    let exchange = match parts {
        Some(parts) if !refused => Exchange::assemble(parts).ok(),
        _ => None,
    };
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
