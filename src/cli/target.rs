//! Where are plan and apply to talk to, and with what right?

use std::path::{Path, PathBuf};

use clap::Args;

use crate::client::{Auth, Client, Credentials};
use crate::daemon::DataDir;
use crate::model::{Exchange, Secret};
use crate::source::{self, SourceSet};
use crate::store::{MasterKey, Store};

use super::exit::Failure;

/// Where to talk to. In order: these flags, `[account]` of the files, the environment, the daemon on this machine.
#[derive(Debug, Args)]
pub(super) struct Target {
    /// The base address of the API; the token is then taken from the environment.
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// The data directory of the daemon on this machine, whose API and key are used.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// The data directory where none is named: by the platform's convention.
pub(super) fn data_dir(given: Option<PathBuf>) -> PathBuf {
    given
        .or_else(|| std::env::var_os("STROWGER_DATA_DIR").filter(|path| !path.is_empty()).map(PathBuf::from))
        .or_else(|| dirs::data_dir().map(|path| path.join("strowger")))
        .unwrap_or_else(|| PathBuf::from(".strowger"))
}

/// The key that secrets of the store are sealed with, where the environment holds it.
pub(super) fn master_key() -> Result<Option<MasterKey>, Failure> {
    let Some(text) = std::env::var("STROWGER_MASTER_KEY").ok().filter(|text| !text.is_empty()) else { return Ok(None) };
    let key = MasterKey::read(&Secret::new(text)).ok_or_else(|| {
        Failure::new("master-key", "STROWGER_MASTER_KEY is not readable: it is 64 hexadecimal digits")
            .help("make one with `openssl rand -hex 32`, and keep it: without it, the secrets in the store are lost")
    })?;
    Ok(Some(key))
}

/// The key of the daemon that uses a data directory.
pub(super) fn daemon_key(data_dir: &Path) -> Result<Credentials, Failure> {
    let store = DataDir::existing_store(data_dir).map_err(|error| Failure::new("data-directory", error))?;
    let store = Store::open_with(&store, master_key()?).map_err(|error| Failure::new("store", error))?;
    let key = store.first_key().map_err(|error| Failure::new("store", error))?;
    let key = key.ok_or_else(|| {
        Failure::new("api-key", format!("the daemon of {} has no API key", data_dir.display()))
            .help("make one with `strowger key create`, or start the daemon: it makes one where there is none")
    })?;
    Ok(Credentials { api_key: key.id, secret: key.secret })
}

impl Target {
    pub fn client(&self, exchange: &Exchange, set: &SourceSet) -> Result<Client, Failure> {
        let env = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
        if let Some(endpoint) = &self.endpoint {
            let auth = from_environment().ok_or_else(|| {
                Failure::new("api-key", format!("there is no token for {endpoint}"))
                    .help("set STROWGER_TOKEN, or STROWGER_API_KEY and STROWGER_SECRET")
            })?;
            return Ok(Client::new(endpoint, auth)?);
        }
        if self.data_dir.is_none() {
            if let Some(account) = exchange.account() {
                let secret = |reference| {
                    source::resolve(reference, &set.directory).map_err(|error| Failure::new("secret", error))
                };
                let api_key = secret(&account.api_key)?.expose().to_owned();
                let auth = Auth::Credentials(Credentials { api_key, secret: secret(&account.secret)? });
                return Ok(Client::new(&account.endpoint, auth)?);
            }
            if let (Some(endpoint), Some(auth)) = (env("STROWGER_ENDPOINT"), from_environment()) {
                return Ok(Client::new(&endpoint, auth)?);
            }
        }
        let data_dir = data_dir(self.data_dir.clone());
        let credentials = daemon_key(&data_dir)?;
        let running = DataDir::running(&data_dir).ok_or_else(|| {
            Failure::new("daemon", format!("no daemon has told {} where it listens", data_dir.display()))
                .help("start one with `strowger daemon`")
        })?;
        Ok(Client::new(&running.url(), Auth::Credentials(credentials))?)
    }
}

fn from_environment() -> Option<Auth> {
    let env = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
    if let Some(token) = env("STROWGER_TOKEN") {
        return Some(Auth::Token(Secret::new(token)));
    }
    let (api_key, secret) = (env("STROWGER_API_KEY")?, env("STROWGER_SECRET")?);
    Some(Auth::Credentials(Credentials { api_key, secret: Secret::new(secret) }))
}
