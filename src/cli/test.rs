//! `strowger test`

use clap::Args;
use serde_json::json;

use crate::check::check_untested;
use crate::model::{Exchange, RuleBook, TestCase};
use crate::route::{Table, Verdict, judge};

use super::compile::{PathArg, compile_with};
use super::exit::{Exit, Failure, print};
use super::route::FormatArg;

/// Decides the calls of the configuration's `[[test]]` tables, and compares with what they expect.
///
/// Offline, with the very function that decides real calls. Exits with 1 when a test fails.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  strowger test examples/quickstart")]
pub(super) struct Test {
    #[command(flatten)]
    path: PathArg,
    /// How the outcome is shown.
    #[arg(long, value_enum, default_value_t = FormatArg::Text)]
    format: FormatArg,
}

impl Test {
    pub fn run(self) -> Result<Exit, Failure> {
        let Some(compiled) = compile_with(&self.path, check_untested)? else { return Ok(Exit::Failed) };
        let verdicts = judge_all(&compiled.exchange, &compiled.exchange.book());
        let failed = verdicts.iter().filter(|(_, verdict)| !verdict.differences.is_empty()).count();
        match self.format {
            FormatArg::Json => print(format_args!("{:#}\n", as_json(&verdicts))),
            FormatArg::Text => {
                for (case, verdict) in &verdicts {
                    print(text(case, verdict));
                }
                print(match (verdicts.len(), failed) {
                    (0, _) => "no tests; write one as a [[test]] table\n".to_owned(),
                    (all, 0) => format!("{all} {} hold\n", if all == 1 { "test" } else { "tests" }),
                    (all, failed) => format!("{failed} of {all} tests fail\n"),
                });
            }
        }
        Ok(if failed == 0 { Exit::Done } else { Exit::Failed })
    }
}

/// Decides every test of a configuration by a book.
pub(super) fn judge_all<'a>(exchange: &'a Exchange, book: &RuleBook) -> Vec<(&'a TestCase, Verdict)> {
    let table = Table::build(book);
    exchange.tests().iter().map(|case| (case, judge(case, &table, Some(exchange)))).collect()
}

/// A test that holds in one line, one that fails with each difference and the decision.
pub(super) fn text(case: &TestCase, verdict: &Verdict) -> String {
    if verdict.differences.is_empty() {
        return format!("ok    {}\n", case.name);
    }
    let mut lines = vec![format!("FAIL  {} ({})", case.name, case.place)];
    for difference in &verdict.differences {
        lines.push(format!("      {}", difference.what));
        lines.push(format!("        - {}", difference.expected));
        lines.push(format!("        + {}", difference.got));
    }
    let trace = verdict.decision.trace.to_string();
    if !trace.is_empty() {
        lines.push(format!("      decided so: {trace}"));
    }
    lines.join("\n") + "\n"
}

fn as_json(verdicts: &[(&TestCase, Verdict)]) -> serde_json::Value {
    let tests = verdicts.iter().map(|(case, verdict)| {
        let differences = verdict.differences.iter().map(
            |difference| json!({ "what": difference.what, "expected": difference.expected, "got": difference.got }),
        );
        json!({
            "name": case.name,
            "place": case.place.to_string(),
            "holds": verdict.differences.is_empty(),
            "differences": differences.collect::<Vec<_>>(),
            "trace": verdict.decision.trace.to_string(),
        })
    });
    json!({ "version": 1, "tests": tests.collect::<Vec<_>>() })
}
