//! `strowger token`

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::client::mint;

use super::exit::{Exit, Failure, print};
use super::target::{daemon_key, data_dir};

/// Prints a token for the REST API.
///
/// It is signed with the key of the daemon whose data directory is given, and is a secret.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  curl -H \"Authorization: $(strowger token)\" http://127.0.0.1:7878/v2/sip/routing-rule"
)]
pub(super) struct Token {
    /// The data directory of the daemon.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// How long the token is good for, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 24 * 60 * 60, value_parser = clap::value_parser!(u64).range(1..=31_536_000))]
    ttl: u64,
}

impl Token {
    pub fn run(self) -> Result<Exit, Failure> {
        let credentials = daemon_key(&data_dir(self.data_dir))?;
        let now = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or(0);
        let token = mint(&credentials, now, Duration::from_secs(self.ttl))?;
        print(format_args!("{}\n", token.expose()));
        Ok(Exit::Done)
    }
}
