//! `strowger fmt`

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::diagnostic::{File, Files, Format, Report, render};
use crate::source;
use crate::syntax;

use super::compile::{counted, look};
use super::exit::{Exit, Failure, print};
use super::fix::{not_written, unified};

/// Lays the files out in the one way.
///
/// One blank line before each table, and no other that you did not write; `=` of neighbouring lines under each other,
/// and the comments behind them; texts in double quotes; a list on one line, or one element a line where it would
/// pass column 100, holds a comment, or was begun on a new line. Order, comments and meaning stay. A file that is not
/// TOML is left as it is.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  strowger fmt examples/quickstart\n  strowger fmt --check\n  strowger fmt - < rules.toml"
)]
pub(super) struct Fmt {
    /// A directory with a strowger.toml, a file, or `-` for standard input to standard output.
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    /// Change nothing; show what would change, and exit with 1 when something would.
    #[arg(long)]
    check: bool,
}

impl Fmt {
    pub fn run(self) -> Result<Exit, Failure> {
        if self.path == Path::new("-") {
            return self.standard_input();
        }
        let set = source::read(&self.path, None)?;
        let mut files: Vec<_> = set.files.iter().map(|(_, file)| file.clone()).zip(set.paths).collect();
        if self.path.is_dir() {
            for name in set.files.environments().unwrap_or_default() {
                let set = source::read(&self.path, Some(name))?;
                files.extend(set.files.iter().map(|(_, file)| file.clone()).zip(set.paths).last());
            }
        }
        let (mut changed, mut broken) = (0, 0);
        for (file, path) in &files {
            let Some(text) = formatted(file.name(), file.text())? else {
                broken += 1;
                continue;
            };
            if text == file.text() {
                continue;
            }
            changed += 1;
            if self.check {
                print(unified(file.name(), file.text(), &text));
            } else {
                source::replace(path, file.text(), &text).map_err(|error| not_written(file.name(), &error))?;
                eprintln!("formatted {}", file.name());
            }
        }
        if self.check && changed > 0 {
            eprintln!("{} would change; `strowger fmt` changes it", counted(changed, "file"));
        }
        Ok(if broken > 0 || (self.check && changed > 0) { Exit::Failed } else { Exit::Done })
    }

    fn standard_input(&self) -> Result<Exit, Failure> {
        let mut text = String::new();
        let read = std::io::stdin().lock().read_to_string(&mut text);
        read.map_err(|error| Failure::new("stdin", format!("standard input cannot be read as text: {error}")))?;
        let Some(new) = formatted("<stdin>", &text)? else { return Ok(Exit::Failed) };
        if !self.check {
            print(new);
            return Ok(Exit::Done);
        }
        print(unified("<stdin>", &text, &new));
        Ok(if new == text { Exit::Done } else { Exit::Failed })
    }
}

/// The text laid out; `None` when it is not TOML, which was shown.
fn formatted(name: &str, text: &str) -> Result<Option<String>, Failure> {
    let mut files = Files::default();
    files.add(File::new(name, text.to_owned()));
    let findings = syntax::syntax_errors(&files);
    if !findings.is_empty() {
        let report = Report::new(files, findings);
        eprint!("{}", render(&report, Format::Graphical, look(std::io::stderr().is_terminal())));
        eprintln!("{name} is left as it is");
        return Ok(None);
    }
    let new = syntax::format(text);
    if !syntax::same_meaning(text, &new) {
        return Err(Failure::new("format", format!("the new layout of {name} would mean something else"))
            .help("nothing was changed; this is a defect of `strowger fmt`, please report the file"));
    }
    Ok(Some(new))
}
