//! `strowger key`

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::daemon::DataDir;
use crate::store::{Store, StoreError};

use super::exit::{Exit, Failure, print};
use super::target::{data_dir, master_key};

/// Makes, lists and revokes API keys.
///
/// Works on the data directory, whether its daemon runs or not. A running daemon knows of it at once.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  strowger key create\n  strowger key list\n  strowger key revoke ak_0123456789abcdef0123456789abcdef"
)]
pub(super) struct Key {
    #[command(subcommand)]
    what: What,
    /// The data directory of the daemon.
    #[arg(long, value_name = "DIR", global = true)]
    data_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Makes a key, and prints it with its secret, which is shown this once.
    Create,
    /// Lists the keys, without their secrets.
    List,
    /// Revokes a key: its tokens are refused from now on.
    Revoke {
        /// The key, `ak_…`.
        key: String,
    },
}

impl Key {
    pub fn run(self) -> Result<Exit, Failure> {
        let directory = data_dir(self.data_dir);
        let failed = |error: StoreError| Failure::new("store", error);
        let path = DataDir::existing_store(&directory).map_err(|error| Failure::new("data-directory", error))?;
        let store = Store::open_with(&path, master_key()?).map_err(failed)?;
        match self.what {
            What::Create => {
                let key = store.create_key().map_err(failed)?;
                print(format_args!("{} {}\n", key.id, key.secret.expose()));
            }
            What::List => {
                for key in store.keys().map_err(failed)? {
                    let state = key.revoked_at.map_or_else(|| "good".to_owned(), |at| format!("revoked {at}"));
                    print(format_args!("{}  made {}  {state}\n", key.id, key.created_at));
                }
            }
            What::Revoke { key } => {
                if !store.revoke_key(&key).map_err(failed)? {
                    return Err(Failure::new("api-key", format!("there is no good key {key} to revoke"))
                        .help("`strowger key list` shows those that there are"));
                }
                print(format_args!("{key} is revoked\n"));
            }
        }
        Ok(Exit::Done)
    }
}
