//! How does a run end?

use std::fmt::Display;
use std::io::Write;
use std::process::{ExitCode, Termination};

/// How a run ended, as its exit code says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: findings, or a failure.
    Failed,
    /// 2: changes are pending, asked for by `--detailed-exitcode`.
    Pending,
    /// 64: the arguments make no sense.
    Usage,
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Pending => 2,
            Self::Usage => 64,
        })
    }
}

/// A failure to tell the user of: a name, what happened, and what to do.
#[derive(Debug)]
pub(super) struct Failure {
    code: &'static str,
    message: String,
    help: Option<String>,
}

impl Failure {
    pub fn new(code: &'static str, message: impl Display) -> Self {
        Self { code, message: message.to_string(), help: None }
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub fn print(&self) {
        let mut err = std::io::stderr().lock();
        let _ = writeln!(err, "error[{}]: {}", self.code, self.message);
        if let Some(help) = &self.help {
            let _ = writeln!(err, "  help: {help}");
        }
    }
}

impl From<crate::source::SourceError> for Failure {
    fn from(error: crate::source::SourceError) -> Self {
        let help = error.help();
        Self::new(error.code(), error).help(help)
    }
}

impl From<crate::client::ClientError> for Failure {
    fn from(error: crate::client::ClientError) -> Self {
        Self::new("api", error)
    }
}

impl From<crate::daemon::DaemonError> for Failure {
    fn from(error: crate::daemon::DaemonError) -> Self {
        use crate::daemon::DaemonError;

        match error {
            DaemonError::Source(error) => error.into(),
            DaemonError::Data(error) => Self::new("data-directory", error),
            DaemonError::Store(error) => Self::new("store", error),
            DaemonError::Api { .. } | DaemonError::Exposed { .. } => Self::new("api-listen", error),
            DaemonError::Tls(error) => Self::new("api-certificate", error),
            DaemonError::Sip(error) => Self::new("sip-listen", error),
            DaemonError::Ports(_) => Self::new("media-ports", error),
            DaemonError::Watch { .. } => Self::new("watch", error),
            DaemonError::Signals(_) => Self::new("signals", error),
        }
    }
}

/// Prints to standard output. A reader that went away (`| head`) is no failure of ours.
pub(super) fn print(text: impl Display) {
    let mut out = std::io::stdout().lock();
    match write!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            // What was asked for is not there, and whoever reads the exit code has to know.
            Failure::new("output", format!("standard output cannot be written: {error}"))
                .help("make room on the disk, or write elsewhere")
                .print();
            std::process::exit(1);
        }
        _ => {}
    }
}
