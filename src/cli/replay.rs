//! `strowger replay`

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::model::TestCase;
use crate::route::{Change, Table, differs, offer_of};
use crate::source::read_calls;

use super::compile::{PathArg, compile};
use super::exit::{Exit, Failure, print};
use super::route::{FormatArg, live_book};
use super::target::Target;

/// Decides calls of a list by two configurations, and says how many change, and which.
///
/// The list is TOML with `[[call]]` tables (.toml), a table with a head line (.csv), or one JSON object a line. Each call
/// has `to`, and may have `from`, `source`, `at` and `name`; more columns are passed over. A call without `at` comes on
/// Wednesday, 3 June 2026, 12:00 UTC.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  strowger replay calls.csv . --against ../main      # from what is in ../main to what is here
  strowger replay calls.jsonl                        # from what the running daemon or account has now")]
pub(super) struct Replay {
    /// The list of calls.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    path: PathArg,
    #[command(flatten)]
    target: Target,
    /// The configuration that the calls were decided by before; without it, what the daemon or the account has now.
    #[arg(long, value_name = "PATH")]
    against: Option<PathBuf>,
    /// Exit with 2 when calls change, 0 when none does.
    #[arg(long)]
    detailed_exitcode: bool,
    /// How the outcome is shown.
    #[arg(long, value_enum, default_value_t = FormatArg::Text)]
    format: FormatArg,
}

/// How many calls are listed for people; a program gets them all.
const SHOWN: usize = 50;

impl Replay {
    pub fn run(self) -> Result<Exit, Failure> {
        let calls = read_calls(&self.file).map_err(|error| Failure::new("calls", error))?;
        let Some(compiled) = compile(&self.path)? else { return Ok(Exit::Failed) };
        let before = match &self.against {
            None => live_book(&self.target, &compiled)?,
            Some(path) => match compile(&PathArg { path: path.clone(), environment: self.path.environment.clone() })? {
                None => return Ok(Exit::Failed),
                Some(other) => other.exchange.book(),
            },
        };
        let (old, new) = (Table::build(&before), Table::build(&compiled.exchange.book()));
        let changed: Vec<(&TestCase, Change)> = calls
            .iter()
            .filter_map(|call| {
                let (offer, at) = offer_of(call);
                Some((call, differs(&old, &new, &offer, at)?))
            })
            .collect();
        match self.format {
            FormatArg::Text => print(text(calls.len(), &changed)),
            FormatArg::Json => print(format_args!("{:#}\n", as_json(calls.len(), &changed))),
        }
        Ok(if self.detailed_exitcode && !changed.is_empty() { Exit::Pending } else { Exit::Done })
    }
}

fn text(all: usize, changed: &[(&TestCase, Change)]) -> String {
    if changed.is_empty() {
        return format!("{all} calls replayed; every one is decided as before\n");
    }
    let mut out = format!("{all} calls replayed, {} change:\n", changed.len());
    for (call, change) in changed.iter().take(SHOWN) {
        let name = if call.name.is_empty() { String::new() } else { format!(" \"{}\"", call.name) };
        let from = call.from.as_deref().unwrap_or("anonymous");
        out.push_str(&format!("  {}{name}: {from} to {}: ", call.place, call.dial));
        out.push_str(&match change.before == change.after {
            true => format!("{}, with another {}\n", change.after, change.what.join(", ")),
            false => format!("{} → {}\n", change.before, change.after),
        });
    }
    if changed.len() > SHOWN {
        out.push_str(&format!("  and {} more; `--format json` lists them all\n", changed.len() - SHOWN));
    }
    out
}

fn as_json(all: usize, changed: &[(&TestCase, Change)]) -> serde_json::Value {
    let calls = changed.iter().map(|(call, change)| {
        json!({
            "place": call.place.to_string(), "name": call.name, "to": call.dial, "from": call.from,
            "source": call.source, "at": call.at.map(|at| at.to_string()),
            "before": change.before, "after": change.after, "what": change.what,
        })
    });
    json!({ "version": 1, "calls": all, "changed": calls.collect::<Vec<_>>() })
}
