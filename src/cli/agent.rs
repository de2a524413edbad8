//! `strowger agent`

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use crate::agent::{Marks, Stream, exam::Grade, examine};
use crate::daemon::{Account, DataDir};
use crate::model::{AgentEndpoint, HeaderText, OnClose, Secret};
use crate::store::Store;

use super::exit::{Exit, Failure, print};
use super::log;
use super::target::{data_dir, master_key};

/// Works with the AI agents that calls are joined to.
#[derive(Debug, Args)]
pub(super) struct Agent {
    #[command(subcommand)]
    command: AgentCommand,
}

#[derive(Debug, Subcommand)]
enum AgentCommand {
    /// Calls an agent without a telephone network, and grades it.
    Test(Test),
    /// Prints the account and token by which bots hang up over the daemon's REST API.
    Credentials(Credentials),
}

/// Calls an agent without a telephone network, and grades it.
///
/// Exits with 0 when nothing failed, and with 1 otherwise. Takes some seconds: the agent is listened to, interrupted,
/// spoken to and left.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  strowger agent test wss://agents.example.com/front-desk\n  strowger agent test ws://127.0.0.1:8765 --within 1500 --format json"
)]
struct Test {
    /// A `ws:` or `wss:` address.
    url: String,
    /// How soon it has to speak, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 3_000)]
    within: u32,
    /// How long it may take to connect, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 5_000)]
    deadline: u32,
    /// A header of the upgrade request. May be repeated.
    #[arg(long, value_name = "NAME=VALUE", value_parser = header)]
    header: Vec<(String, String)>,
    /// The environment variable with the secret that the upgrade is signed with.
    #[arg(long, value_name = "NAME")]
    signing_secret_env: Option<String>,
    /// How the report is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Prints the account and token by which bots hang up over the daemon's REST API.
///
/// Both belong to the daemon's API key, and can do nothing else.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  strowger agent credentials")]
struct Credentials {
    /// Where the daemon keeps everything; by the platform's convention when not given.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write a name, `=` and a value")?;
    Ok((name.to_ascii_lowercase(), value.to_owned()))
}

impl Agent {
    pub fn run(self) -> Result<Exit, Failure> {
        match self.command {
            AgentCommand::Test(test) => test.run(),
            AgentCommand::Credentials(credentials) => credentials.run(),
        }
    }
}

impl Test {
    fn run(self) -> Result<Exit, Failure> {
        log::start();
        let signing_secret = match &self.signing_secret_env {
            None => None,
            Some(name) => match std::env::var(name) {
                Ok(text) if !text.is_empty() => Some(Secret::new(text)),
                _ => return Err(Failure::new("secret", format!("the environment variable {name} is not set"))),
            },
        };
        let endpoint = AgentEndpoint {
            url: self.url.clone(),
            headers: self.header.into_iter().map(|(name, value)| (name, HeaderText::Plain(value))).collect(),
            signing_secret,
            deadline: Duration::from_millis(self.deadline.into()),
            retries: 0,
            on_close: OnClose::Hangup,
            fallback: Vec::new(),
        };
        let id = || uuid::Uuid::new_v4().simple().to_string();
        let stream = Stream {
            stream_sid: format!("MZ{}", id()),
            account_sid: format!("AC{:032}", 0),
            call_sid: format!("CA{}", id()),
            parameters: [("from_number", "+12125550123"), ("to_number", "+14155550100")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
        };
        let within = Duration::from_millis(self.within.into());
        let marks = log::runtime()?.block_on(examine(&endpoint, stream, within));
        match self.format {
            Format::Json => print(format_args!("{:#}\n", json!({"url": self.url, "result": marks}))),
            Format::Text => print(text(&self.url, &marks)),
        }
        Ok(if marks.passed { Exit::Done } else { Exit::Failed })
    }
}

fn text(url: &str, marks: &Marks) -> String {
    let mut text = format!("{url}\n");
    for check in &marks.checks {
        let sign = match check.grade {
            Grade::Pass => "✓",
            Grade::Warn => "!",
            Grade::Fail => "✗",
        };
        let took = check.milliseconds.map(|took| format!(" ({took} ms)")).unwrap_or_default();
        text.push_str(&format!("  {sign} {}: {}{took}\n", check.name, check.detail));
    }
    text.push_str(if marks.passed { "passed\n" } else { "failed\n" });
    text
}

impl Credentials {
    fn run(self) -> Result<Exit, Failure> {
        let directory = data_dir(self.data_dir);
        let path = DataDir::existing_store(&directory).map_err(|error| Failure::new("data-directory", error))?;
        let key = Store::open_with(&path, master_key()?).and_then(|store| store.first_key());
        let key = key.map_err(|error| Failure::new("store", error))?;
        let Some(key) = key else {
            return Err(Failure::new("api-key", "the daemon has no API key yet")
                .help("start it once, or run `strowger key create`"));
        };
        let account = Account::of(&key);
        print(format_args!("account_sid={}\nauth_token={}\n", account.sid, account.token.expose()));
        Ok(Exit::Done)
    }
}
