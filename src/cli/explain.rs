//! `strowger explain`

use clap::Args;

use crate::check;
use crate::diagnostic::{Rule, nearest};

use super::exit::{Exit, Failure, print};

/// Says what a finding means, and what to write instead.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  strowger explain number-claimed-twice")]
pub(super) struct Explain {
    /// The name of the finding, as it stands in brackets; without it, all names are listed.
    name: Option<String>,
    /// List the names of all findings.
    #[arg(long, conflicts_with = "name")]
    list: bool,
}

impl Explain {
    pub fn run(self) -> Result<Exit, Failure> {
        let Some(name) = self.name else {
            for rule in check::all() {
                print(format_args!("{:<26} {:<8} {}\n", rule.name, rule.severity.as_str(), rule.summary));
            }
            return Ok(Exit::Done);
        };
        let Some(rule) = check::find(&name) else {
            let failure = Failure::new("explain-unknown", format!("there is no finding `{name}`"));
            return Err(match nearest(&name, check::all().into_iter().map(|rule| rule.name)) {
                Some(near) => failure.help(format!("did you mean `{near}`?")),
                None => failure.help("`strowger explain` lists all of them"),
            });
        };
        let Rule { name, severity, summary, explanation } = rule;
        print(format_args!("{}[{name}]: {summary}\n\n{}\n", severity.as_str(), wrapped(explanation)));
        Ok(Exit::Done)
    }
}

/// Breaks a paragraph into lines of at most 80 columns.
fn wrapped(text: &str) -> String {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= 80 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}
