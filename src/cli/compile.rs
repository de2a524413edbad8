//! What do the files at a path mean?

use std::io::IsTerminal;
use std::path::PathBuf;

use crate::check::{Checked, check};
use crate::diagnostic::{Format, Look, Report, Severity, render};
use crate::model::Exchange;
use crate::source::{self, SourceSet};
use crate::syntax::{self, Draft};

use super::exit::Failure;

/// A configuration that was compiled for a command which needs it whole.
pub(super) struct Compiled {
    pub exchange: Exchange,
    pub set: SourceSet,
}

/// Reads and checks the files at a path.
pub(super) fn checked(path: &PathArg) -> Result<(SourceSet, Checked), Failure> {
    checked_with(path, check)
}

fn checked_with(path: &PathArg, check: impl FnOnce(Draft) -> Checked) -> Result<(SourceSet, Checked), Failure> {
    let set = source::read(&path.path, path.environment.as_deref())?;
    let mut checked = check(syntax::parse(&set.files));
    checked.warn_of_exposed_secrets(|file| source::is_exposed(file, &set.directory));
    Ok((set, checked))
}

/// Compiles; findings go to standard error, and an error among them ends the command (`None`).
pub(super) fn compile(path: &PathArg) -> Result<Option<Compiled>, Failure> {
    compile_with(path, check)
}

/// Compiles with a check of the caller's choice.
pub(super) fn compile_with(path: &PathArg, check: impl FnOnce(Draft) -> Checked) -> Result<Option<Compiled>, Failure> {
    let (set, checked) = checked_with(path, check)?;
    if !checked.report.findings.is_empty() {
        eprint!("{}", render(&checked.report, Format::Graphical, look(std::io::stderr().is_terminal())));
    }
    let Some(exchange) = checked.exchange else {
        eprintln!("{}", closing(&checked.report, true));
        return Ok(None);
    };
    Ok(Some(Compiled { exchange, set }))
}

/// The line that ends a report.
pub(super) fn closing(report: &Report, sends: bool) -> String {
    let count = |severity, word: &str| match report.count(severity) {
        0 => None,
        1 => Some(format!("1 {word}")),
        more => Some(format!("{more} {word}s")),
    };
    let counts: Vec<String> =
        [count(Severity::Error, "error"), count(Severity::Warning, "warning")].into_iter().flatten().collect();
    let sent = if sends { "nothing was sent" } else { "nothing is ever sent by `validate`" };
    format!("{}; {sent}", counts.join(", "))
}

/// A count with its word.
pub(super) fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// How to draw on a stream.
pub(super) fn look(terminal: bool) -> Look {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let width = columns.or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)));
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let forced = std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0");
    // https://no-color.org and https://bixense.com/clicolors: a wish for no colour wins over one for colour.
    let colour = !set("NO_COLOR") && (forced || (terminal && !dumb));
    Look { colour, unicode: !(terminal && dumb), width: width.unwrap_or(100).clamp(40, 160) }
}

/// The path argument of a command.
#[derive(Debug, clap::Args)]
pub(super) struct PathArg {
    /// A directory with a strowger.toml, or a file.
    #[arg(value_name = "PATH", default_value = ".")]
    pub path: PathBuf,
    /// The environment: adds env/NAME.toml, which gives other values to variables and settings.
    #[arg(short = 'e', long = "env", value_name = "NAME")]
    pub environment: Option<String>,
}
