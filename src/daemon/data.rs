//! Where does a daemon keep what it knows?

use std::fs::{self, File, TryLockError};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::{HidingKey, Secret};

/// Hex digits of the key that callers' numbers are hidden with: 256 bits, as SHA-256 gives (RFC 2104 section 3).
const HIDING_KEY_DIGITS: usize = 64;

/// A data directory, held by one daemon at a time.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// Locked as long as the daemon lives; the system lets go of it even after a `kill -9`.
    _lock: File,
}

/// What a running daemon tells those who look for it in its data directory.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Running {
    /// Its process.
    pub pid: u32,
    /// Where its REST API listens.
    pub api: SocketAddr,
    /// Whether its REST API speaks TLS.
    #[serde(default)]
    pub tls: bool,
}

impl Running {
    /// The base address of its REST API, from this machine.
    pub fn url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        let mut api = self.api;
        if api.ip().is_unspecified() {
            // Where it listens everywhere, it is here too.
            api.set_ip(match api {
                SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            });
        }
        format!("{scheme}://{api}")
    }
}

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// Another daemon has it.
    #[error("another daemon uses the data directory {path}; stop it, or give this one another with --data-dir")]
    Taken {
        /// The directory.
        path: String,
    },
    /// The system refuses.
    #[error("the data directory {path} cannot be used: {cause}; choose another with --data-dir")]
    Unusable {
        /// The directory.
        path: String,
        /// What the system says.
        cause: io::Error,
    },
    /// No daemon has ever used it.
    #[error(
        "no daemon has used the data directory {path}; start one with `strowger daemon`, or name its directory with --data-dir"
    )]
    Unused {
        /// The directory.
        path: String,
    },
}

impl DataDir {
    /// Makes the directory, readable by its owner alone, and takes it.
    ///
    /// # Errors
    /// When another daemon has it, or it cannot be written.
    pub fn take(path: &Path) -> Result<Self, DataError> {
        let shown = path.display().to_string();
        let unusable = |cause| DataError::Unusable { path: shown.clone(), cause };
        create_private(path).map_err(unusable)?;
        let lock = File::options().create(true).truncate(false).write(true).open(path.join("daemon.lock"));
        let lock = lock.map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_path_buf(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DataError::Taken { path: shown }),
            Err(TryLockError::Error(cause)) => Err(unusable(cause)),
        }
    }

    /// The store of a data directory that a daemon has used, for those who only look into it.
    ///
    /// # Errors
    /// When there is none.
    pub fn existing_store(path: &Path) -> Result<PathBuf, DataError> {
        let store = store_in(path);
        match store.is_file() {
            true => Ok(store),
            false => Err(DataError::Unused { path: path.display().to_string() }),
        }
    }

    /// What the daemon told that uses the directory, or used it last.
    pub fn running(path: &Path) -> Option<Running> {
        serde_json::from_str(&fs::read_to_string(path.join("daemon.json")).ok()?).ok()
    }

    /// The file of the store.
    pub fn store(&self) -> PathBuf {
        store_in(&self.path)
    }

    /// The file of the memory between two reconciliations.
    pub fn memory(&self) -> PathBuf {
        self.path.join("strowger.lock")
    }

    /// The key that callers' numbers are hidden with; made at its first use and kept, so that a caller is the same one
    /// tomorrow.
    ///
    /// # Errors
    /// When the directory cannot be read or written.
    pub fn hiding_key(&self) -> Result<HidingKey, DataError> {
        let path = self.path.join("hiding.key");
        let unusable = |cause| DataError::Unusable { path: self.path.display().to_string(), cause };
        match fs::read_to_string(&path) {
            Ok(text) if text.len() >= HIDING_KEY_DIGITS => return Ok(HidingKey::new(Secret::new(text))),
            // A key that was cut off while it was written has hidden nobody yet.
            Ok(_) => {}
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            Err(cause) => return Err(unusable(cause)),
        }
        let text: String = rand::random::<[u8; HIDING_KEY_DIGITS / 2]>().iter().map(|b| format!("{b:02x}")).collect();
        let new = self.path.join("hiding.key.new");
        write_private(&new, &text).and_then(|()| fs::rename(&new, &path)).map_err(unusable)?;
        Ok(HidingKey::new(Secret::new(text)))
    }

    /// Tells those who look for the daemon where it is.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn announce(&self, running: &Running) -> Result<(), DataError> {
        let text = serde_json::to_string(running).unwrap_or_default();
        let (new, path) = (self.path.join("daemon.json.new"), self.path.join("daemon.json"));
        let write = fs::write(&new, text).and_then(|()| fs::rename(&new, &path));
        write.map_err(|cause| DataError::Unusable { path: self.path.display().to_string(), cause })
    }
}

fn store_in(path: &Path) -> PathBuf {
    path.join("store.sqlite")
}

#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;

    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

/// Writes a file that its owner alone may read.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = File::options();
    options.create(true).write(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    io::Write::write_all(&mut file, text.as_bytes())?;
    file.sync_all()
}
