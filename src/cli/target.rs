//! Where are plan and apply to talk to, and with what right?

use std::path::{Path, PathBuf};

use clap::Args;

use crate::client::{Auth, Client, Credentials, RegionKey};
use crate::daemon::DataDir;
use crate::model::Secret;
use crate::source;
use crate::store::{MasterKey, Store};

use super::compile::{Compiled, PathArg, compile};
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

/// A client, and what named its endpoint.
pub(super) struct Found {
    pub client: Client,
    pub origin: String,
}

impl Target {
    /// The client to use, beside these files if there are any.
    pub fn client(&self, files: Option<&Compiled>) -> Result<Client, Failure> {
        Ok(self.find(files)?.client)
    }

    fn find(&self, files: Option<&Compiled>) -> Result<Found, Failure> {
        if let Some(endpoint) = &self.endpoint {
            let auth = from_environment().ok_or_else(|| {
                Failure::new("api-key", format!("there is no token for {endpoint}"))
                    .help("set STROWGER_TOKEN, or STROWGER_API_KEY and STROWGER_SECRET")
            })?;
            return found(endpoint, auth, "--endpoint");
        }
        if self.data_dir.is_none() {
            if let Some((account, files)) = files.and_then(|files| Some((files.exchange.account()?, files))) {
                let secret = |reference| {
                    source::resolve(reference, &files.set.directory).map_err(|error| Failure::new("secret", error))
                };
                let api_key = secret(&account.api_key)?.expose().to_owned();
                let auth = Auth::Credentials(Credentials { api_key, secret: secret(&account.secret)? });
                return found(&account.endpoint, auth, "[account] of the files");
            }
            if let (Some(endpoint), Some(auth)) = (env("STROWGER_ENDPOINT"), from_environment()) {
                return found(&endpoint, auth, "STROWGER_ENDPOINT");
            }
        }
        let data_dir = data_dir(self.data_dir.clone());
        let credentials = daemon_key(&data_dir)?;
        let running = DataDir::running(&data_dir).ok_or_else(|| {
            Failure::new("daemon", format!("no daemon has told {} where it listens", data_dir.display()))
                .help("start one with `strowger daemon`")
        })?;
        let origin = format!("the daemon of {}", data_dir.display());
        found(&running.url(), Auth::Credentials(credentials), &origin)
    }
}

/// Where to talk to, for a command that looks at live state alone: files only lend it their `[account]`.
#[derive(Debug, Args)]
pub(super) struct LiveTarget {
    /// A directory with a strowger.toml, or a file, whose `[account]` is used; the current directory, if it has one.
    #[arg(value_name = "PATH")]
    path: Option<PathBuf>,
    /// The environment: adds env/NAME.toml, which gives other values to variables and settings.
    #[arg(short = 'e', long = "env", value_name = "NAME")]
    environment: Option<String>,
    #[command(flatten)]
    target: Target,
}

impl LiveTarget {
    /// The client; none when the files are broken, which was then shown.
    pub fn find(&self) -> Result<Option<Found>, Failure> {
        let path = match &self.path {
            Some(path) => Some(path.as_path()),
            None if self.target.endpoint.is_some() || self.target.data_dir.is_some() => None,
            None => Some(Path::new(".")).filter(|here| here.join("strowger.toml").is_file()),
        };
        let files = match path {
            None => None,
            Some(path) => match compile(&PathArg { path: path.to_owned(), environment: self.environment.clone() })? {
                None => return Ok(None),
                files => files,
            },
        };
        Ok(Some(self.target.find(files.as_ref())?))
    }
}

/// Makes the client, as the environment wants it.
fn found(endpoint: &str, auth: Auth, origin: &str) -> Result<Found, Failure> {
    let certificates = match env("STROWGER_CA_FILE") {
        None => Vec::new(),
        Some(path) => std::fs::read(&path).map_err(|why| {
            Failure::new("ca-file", format!("{path}, which STROWGER_CA_FILE names, cannot be read: {why}"))
                .help("name a file of certificates in PEM, or unset STROWGER_CA_FILE")
        })?,
    };
    if certificates.is_empty() && env("STROWGER_CA_FILE").is_some() {
        return Err(Failure::new("ca-file", "the file that STROWGER_CA_FILE names is empty"));
    }
    let region_key = match env("STROWGER_REGION_KEY").as_deref() {
        None | Some("sipRegion") => RegionKey::SipRegion,
        Some("geoRegion") => RegionKey::GeoRegion,
        Some(other) => {
            return Err(Failure::new("region-key", format!("STROWGER_REGION_KEY is `{other}`"))
                .help("it is sipRegion or geoRegion"));
        }
    };
    let client = Client::trusting(endpoint, auth, &certificates)?.with_region_key(region_key);
    Ok(Found { client, origin: origin.to_owned() })
}

fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

fn from_environment() -> Option<Auth> {
    if let Some(token) = env("STROWGER_TOKEN") {
        return Some(Auth::Token(Secret::new(token)));
    }
    let (api_key, secret) = (env("STROWGER_API_KEY")?, env("STROWGER_SECRET")?);
    Some(Auth::Credentials(Credentials { api_key, secret: Secret::new(secret) }))
}
