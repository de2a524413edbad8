//! `strowger validate`

use std::io::IsTerminal;

use clap::{Args, ValueEnum};

use crate::diagnostic::{Format, render};

use super::compile::{PathArg, checked, closing, look};
use super::exit::{Exit, Failure, print};

/// Checks a configuration, and shows everything that is wrong with it.
///
/// Reads files only: no secret is read, and nothing is sent.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  strowger validate examples/quickstart\n  strowger validate --format concise rules.toml"
)]
pub(super) struct Validate {
    #[command(flatten)]
    path: PathArg,
    /// How findings are shown.
    #[arg(long, value_enum, default_value_t = FormatArg::Graphical)]
    format: FormatArg,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatArg {
    /// With the lines of the file, for people.
    Graphical,
    /// One line a finding, for editors and grep.
    Concise,
    /// A versioned object, for programs.
    Json,
}

impl Validate {
    pub fn run(self) -> Result<Exit, Failure> {
        let (set, checked) = checked(&self.path)?;
        let format = match self.format {
            FormatArg::Graphical => Format::Graphical,
            FormatArg::Concise => Format::Concise,
            FormatArg::Json => Format::Json,
        };
        let report = &checked.report;
        print(render(report, format, look(std::io::stdout().is_terminal())));
        if !matches!(format, Format::Json) && !report.findings.is_empty() {
            eprintln!("{}", closing(report, false));
        }
        let Some(exchange) = checked.exchange else { return Ok(Exit::Failed) };
        if matches!(format, Format::Graphical) {
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

fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}
