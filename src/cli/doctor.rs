//! `strowger doctor`

mod contract;
mod reach;
mod report;

use std::time::Duration;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::exit::{Exit, Failure, print};
use super::log::runtime;
use super::target::{Found, LiveTarget};
use report::{Report, Status};

/// Checks that the API can be reached and used, and says what it is like.
///
/// Looks at the way there (name, connection, TLS), at the clock and the token, and at each point on which the
/// vendor's own pages disagree. Only reads. Exits with 1 when something fails; a warning is no failure.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  strowger doctor\n  strowger doctor --format json | jq '.checks[] | select(.status == \"fail\")'"
)]
pub(super) struct Doctor {
    #[command(flatten)]
    target: LiveTarget,
    /// How it is shown.
    #[arg(long, value_enum, default_value_t = FormatArg::Text)]
    format: FormatArg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatArg {
    /// For people.
    Text,
    /// A versioned object, for programs.
    Json,
}

impl Doctor {
    pub fn run(self) -> Result<Exit, Failure> {
        let Some(found) = self.target.find()? else { return Ok(Exit::Failed) };
        let report = runtime()?.block_on(examine(&found));
        match self.format {
            FormatArg::Text => print(report.text()),
            FormatArg::Json => {
                let all = json!({"version": 1, "endpoint": found.client.endpoint(), "checks": report.lines});
                print(format_args!("{all:#}\n"));
            }
        }
        Ok(if report.count(Status::Fail) == 0 { Exit::Done } else { Exit::Failed })
    }
}

/// How long an answer may take: less than a client waits, for somebody sits before it.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Each check that the ones before it leave a sense to.
async fn examine(found: &Found) -> Report {
    let mut report = Report::default();
    let client = found.client.clone().with_timeout(ANSWER_MAX);
    match reach::examine(&mut report, &client, &found.origin).await {
        true => contract::examine(&mut report, &client).await,
        false => report.skip("contract", "nothing can be read before what failed above is mended"),
    }
    report
}
