//! What can go wrong with a store?

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::api::ApiError;

/// Why a store cannot be used: which file, what was tried, why it failed, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The directory is not there.
    #[error("cannot open the store {}: its directory does not exist; make it with `mkdir -p {}`", path.display(), parent(path).display())]
    NoDirectory {
        /// The file.
        path: PathBuf,
    },
    /// The file or its directory may not be written.
    #[error("cannot open the store {} for writing: {why}; the file and its directory must be writable by this user, or another path be chosen", path.display())]
    Denied {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// Another process holds the file.
    #[error("cannot use the store {}: another process has locked it; stop that process, or wait and try again", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The file is not what was written.
    #[error("cannot read the store {}: the file is damaged ({why}); restore it from a backup, or move it away to begin with an empty store", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        why: String,
    },
    /// The file is a database of another program.
    #[error("cannot use {} as a store: it is a database of another program; choose another path", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by a newer version.
    #[error("cannot open the store {}: its schema is version {found}, and this strowger knows versions up to {known}; use a newer strowger", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of the file.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// There is no room.
    #[error("cannot write the store {}: the disk is full; make room and try again, nothing that was acknowledged is lost", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The system gave no random bytes, so there is no safe secret.
    #[error("cannot make an API key: the system gives no random bytes ({why})")]
    NoRandomness {
        /// What the system said.
        why: String,
    },
    /// The file that should hold the master key does not.
    #[error("the master key in {} cannot be used: {why}; restore it from a backup (nothing was changed)", path.display())]
    BadKey {
        /// The key file.
        path: PathBuf,
        /// What is wrong; never what stands in the file.
        why: String,
    },
    /// The store was sealed, and its key is not there.
    #[error("the store's secrets are sealed, and there is no key: {} is missing; restore it from a backup, or give the key in STROWGER_MASTER_KEY (nothing was changed)", path.display())]
    NoKey {
        /// The key file.
        path: PathBuf,
    },
    /// The store was sealed with another key.
    #[error("the master key does not open the secrets of the store {}: they were sealed with another one; restore master.key, or give the right key in STROWGER_MASTER_KEY (nothing was changed)", path.display())]
    WrongKey {
        /// The file.
        path: PathBuf,
    },
    /// Something else.
    #[error("the store {} failed: {source}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

impl StoreError {
    /// Sorts what SQLite says into what a reader can act upon.
    pub(super) fn of_database(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked { path },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged { path, why: source.to_string() }
            }
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                Self::Denied { path, why: source.to_string() }
            }
            _ => Self::Database { path, source },
        }
    }

    /// Sorts what the file system says.
    pub(super) fn of_file(path: &Path, source: &io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::NotFound => Self::NoDirectory { path: path.to_owned() },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path: path.to_owned() },
            _ => Self::Denied { path: path.to_owned(), why: source.to_string() },
        }
    }
}

/// Why a transaction was rolled back.
#[derive(Debug)]
pub(super) enum Fault {
    /// The request is refused; the store is well.
    Refused(ApiError),
    /// The database failed.
    Database(rusqlite::Error),
    /// A row does not hold what was written to it.
    Damaged(String),
    /// There is no safe secret.
    NoRandomness(String),
}

impl From<ApiError> for Fault {
    fn from(refusal: ApiError) -> Self {
        Self::Refused(refusal)
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl Fault {
    /// What the operator is told, who may see the path.
    pub(super) fn for_operator(self, path: &Path) -> StoreError {
        match self {
            Self::Refused(refusal) => StoreError::Damaged { path: path.to_owned(), why: refusal.message },
            Self::Database(error) => StoreError::of_database(path, error),
            Self::Damaged(why) => StoreError::Damaged { path: path.to_owned(), why },
            Self::NoRandomness(why) => StoreError::NoRandomness { why },
        }
    }

    /// What the caller of the API is told: a refusal as it is, and of a failure only what kind it is.
    pub(super) fn for_caller(self, path: &Path) -> ApiError {
        if let Self::Refused(refusal) = self {
            return refusal;
        }
        if let Self::Database(error) = &self
            && error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
        {
            // What was looked at was as it should be, and then was not: another program writes to the file.
            tracing::warn!(%error, "a request met another change of the same objects");
            return ApiError::conflict(
                "The objects were changed by another request at the same time; read them and try again",
            );
        }
        let failure = self.for_operator(path);
        tracing::error!(error = %failure, "a request failed in the store");
        match failure {
            StoreError::Locked { .. } => {
                ApiError { status: 503, message: "The store is locked by another process; try again".to_owned() }
            }
            StoreError::Full { .. } => {
                ApiError { status: 507, message: "The store has no room left; nothing was changed".to_owned() }
            }
            _ => ApiError::internal("The store failed, nothing was changed; the daemon's log says more"),
        }
    }
}
