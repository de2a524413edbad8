//! `strowger validate`

use std::io::IsTerminal;

use clap::{Args, ValueEnum};

use crate::diagnostic::{Format, Report, render};
use crate::source;

use super::compile::{PathArg, checked, closing, counted, look};
use super::exit::{Exit, Failure, print};
use super::fix;

/// Checks a configuration, and shows everything that is wrong with it.
///
/// Reads files only: no secret is read, and nothing is sent.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  strowger validate examples/quickstart\n  strowger validate --fix\n  strowger validate --format concise rules.toml"
)]
pub(super) struct Validate {
    #[command(flatten)]
    path: PathArg,
    /// How findings are shown.
    #[arg(long, value_enum, default_value_t = FormatArg::Graphical)]
    format: FormatArg,
    /// Mend in place what can be mended without guessing, and show what the other fixes would change.
    #[arg(long)]
    fix: bool,
    /// Mend also by guessing, such as by the nearest known name; look at the result.
    #[arg(long, requires = "fix")]
    unsafe_fixes: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatArg {
    /// With the lines of the file, for people.
    Graphical,
    /// In sentences, without colour or drawings, for screen readers and logs.
    Plain,
    /// One line a finding, for editors and grep.
    Concise,
    /// A versioned object, for programs.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Annotations of the changed lines, for GitHub Actions.
    Github,
}

impl From<FormatArg> for Format {
    fn from(arg: FormatArg) -> Self {
        match arg {
            FormatArg::Graphical => Self::Graphical,
            FormatArg::Plain => Self::Plain,
            FormatArg::Concise => Self::Concise,
            FormatArg::Json => Self::Json,
            FormatArg::Sarif => Self::Sarif,
            FormatArg::Github => Self::Github,
        }
    }
}

impl Validate {
    pub fn run(self) -> Result<Exit, Failure> {
        let format = Format::from(self.format);
        let (set, checked) = if self.fix {
            let set = source::read(&self.path.path, self.path.environment.as_deref())?;
            let mut fixed = fix::fix(&set, |fix| fix.safe || self.unsafe_fixes)?;
            let (fixes, files) = (counted(fixed.fixes, "finding"), counted(fixed.written.len(), "file"));
            eprintln!("mended {fixes} in {files}");
            fixed.checked.warn_of_exposed_secrets(|file| source::is_exposed(file, &set.directory));
            (set, fixed.checked)
        } else {
            checked(&self.path)?
        };
        let report = &checked.report;
        print(render(report, format, look(std::io::stdout().is_terminal())));
        if self.fix && format.is_prose() {
            show_left(report);
        }
        if !report.findings.is_empty() {
            eprintln!("{}{}", closing(report, false), if self.fix { String::new() } else { fixable(report) });
        }
        let Some(exchange) = checked.exchange else { return Ok(Exit::Failed) };
        if format.is_prose() {
            print(format_args!(
                "{} is valid: {} in {}\n",
                exchange.stack(),
                [
                    counted(exchange.numbers().len(), "number"),
                    counted(exchange.gateways().len(), "gateway"),
                    counted(exchange.rules().len(), "rule"),
                ]
                .join(", "),
                counted(set.files.len(), "file"),
            ));
        }
        Ok(Exit::Done)
    }
}

/// Shows what the fixes would change that were not applied.
fn show_left(report: &Report) {
    let left = fix::left(report);
    if !left.is_empty() {
        print(format_args!(
            "Not applied, for it guesses what was meant; `--fix --unsafe-fixes` applies it:\n\n{left}\n"
        ));
    }
}

/// Says how many findings a program can mend.
fn fixable(report: &Report) -> String {
    let fixes = report.findings.iter().filter_map(|finding| finding.fix.as_ref());
    let (safe, guessed): (Vec<_>, Vec<_>) = fixes.partition(|fix| fix.safe);
    match (safe.len(), guessed.len()) {
        (0, 0) => String::new(),
        (safe, 0) => format!("\n{safe} can be mended with `--fix`"),
        (0, guessed) => format!("\n{guessed} can be mended with `--fix --unsafe-fixes`, by guessing"),
        (safe, guessed) => {
            format!("\n{safe} can be mended with `--fix`, {guessed} more by guessing (`--unsafe-fixes`)")
        }
    }
}
