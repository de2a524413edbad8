//! What does the served API remember?
//!
//! Numbers, gateways, rules, rooms, webhooks and API keys, in one SQLite file. Every request is one transaction: it
//! happens whole or not at all, and what was acknowledged is on the disk (`synchronous = FULL`), so a `kill -9` loses
//! nothing. [`Store`] answers every endpoint that needs nothing but memory; the server only speaks HTTP around it.
//!
//! | file | holds |
//! | --- | --- |
//! | `schema` | opening the file, its tables, and the steps from older ones |
//! | `numbers`, `gateways`, `rules`, `rooms`, `webhooks` | one resource each: its endpoints and its rows |
//! | `trunks` | gateways under their older paths |
//! | `rule_check` | which rules are legal |
//! | `keys` | API keys and their secrets |
//! | `vault` | how secrets are sealed |
//! | `audit` | who changed what |
//! | `book` | the rules as calls are decided by them |
//! | `error` | what can go wrong |

mod audit;
mod book;
mod error;
mod gateways;
mod keys;
mod numbers;
mod rooms;
mod rule_check;
mod rules;
mod schema;
mod trunks;
mod vault;
mod webhooks;

use std::cell::Cell;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::watch;

use crate::api::{ApiError, Caller};
use error::Fault;
use vault::Vault;

pub use audit::AuditEntry;
pub use error::StoreError;
pub use keys::{ApiKey, KnownKey};
pub(crate) use rooms::{fresh_room_id, unknown as unknown_room};
pub use vault::MasterKey;

/// Items on a page when the query does not say, at most (contract section 3.2; section 15 for rules).
const PER_PAGE_MAX: u32 = 100;

/// What the served API remembers. A clone is another handle on the same file.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// One connection, so that requests of this process queue here and not on the lock of the file.
    connection: Mutex<Connection>,
    path: PathBuf,
    vault: Vault,
    changes: watch::Sender<u64>,
}

/// One transaction, and what it works with.
struct Work<'t> {
    transaction: Transaction<'t>,
    vault: &'t Vault,
    by: Caller,
    audited: Cell<bool>,
}

impl<'t> Deref for Work<'t> {
    type Target = Transaction<'t>;

    fn deref(&self) -> &Self::Target {
        &self.transaction
    }
}

/// What a transaction may do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    /// Sees one state of everything.
    Read,
    /// Takes the write lock before it reads, so that what it decides by cannot change under it.
    Write,
}

impl Store {
    /// Opens the file, or makes it, readable by its owner alone. Its secrets are sealed with the key in `master.key`
    /// beside it, which is made with it.
    ///
    /// # Errors
    /// When the file cannot be opened, is locked or damaged, or was written by a newer version; when its key is not
    /// there or is another.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, None)
    }

    /// The same, with a key from elsewhere where one is given.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with(path: &Path, key: Option<MasterKey>) -> Result<Self, StoreError> {
        let (connection, vault) = schema::open(path, key)?;
        tracing::info!(path = %path.display(), "the store is open");
        Ok(Self::over(connection, vault, path))
    }

    /// Makes a store that is gone with its last handle.
    ///
    /// # Errors
    /// When SQLite has no memory.
    pub fn in_memory() -> Result<Self, StoreError> {
        let (connection, vault) = schema::in_memory()?;
        Ok(Self::over(connection, vault, Path::new(schema::IN_MEMORY)))
    }

    /// Tells of each committed write of numbers, gateways or rules by a number that grows.
    ///
    /// Writes of another process on the same file are not seen here.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.inner.changes.subscribe()
    }

    fn over(connection: Connection, vault: Vault, path: &Path) -> Self {
        let (changes, _) = watch::channel(0);
        Self { inner: Arc::new(Inner { connection: Mutex::new(connection), path: path.to_owned(), vault, changes }) }
    }

    /// Carries out one transaction on this thread.
    fn transact<T>(
        &self,
        access: Access,
        by: Caller,
        work: impl FnOnce(&Work<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        // A panic in another transaction rolled that one back; the connection is as good as before.
        let mut connection = self.inner.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let behavior = match access {
            Access::Read => TransactionBehavior::Deferred,
            Access::Write => TransactionBehavior::Immediate,
        };
        let changes = connection.total_changes();
        let transaction = connection.transaction_with_behavior(behavior)?;
        let unit = Work { transaction, vault: &self.inner.vault, by, audited: Cell::new(false) };
        let done = work(&unit)?;
        if unit.total_changes() != changes && !unit.audited.get() {
            return Err(Fault::Damaged("a change has no audit entry, and was not made".to_owned()));
        }
        unit.transaction.commit()?;
        Ok(done)
    }

    /// Carries out one transaction of the command line or the daemon, on this thread.
    fn administer<T>(&self, access: Access, work: impl FnOnce(&Work<'_>) -> Result<T, Fault>) -> Result<T, StoreError> {
        self.transact(access, Caller::Operator, work).map_err(|fault| fault.for_operator(&self.inner.path))
    }

    /// Carries out one transaction of a request, off the threads that serve requests.
    async fn request<T: Send + 'static>(
        &self,
        access: Access,
        by: Caller,
        work: impl FnOnce(&Work<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, ApiError> {
        let store = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            let done = store.transact(access, by, work);
            if done.is_ok() && access == Access::Write {
                // Here and not after the await: a caller who hangs up must not hide a change that was made.
                store.inner.changes.send_modify(|revision| *revision += 1);
            }
            done
        })
        .await;
        match done {
            Ok(done) => done.map_err(|fault| fault.for_caller(&self.inner.path)),
            Err(why) => {
                tracing::error!(error = %why, "a request to the store did not finish");
                Err(ApiError::internal("The store failed while answering; the daemon's log says more"))
            }
        }
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Work<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.request(Access::Read, Caller::Operator, work).await
    }

    async fn write<T: Send + 'static>(
        &self,
        by: Caller,
        work: impl FnOnce(&Work<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.request(Access::Write, by, work).await
    }
}

/// This moment as the contract writes moments: ISO 8601, UTC, milliseconds, `Z`.
fn now() -> String {
    format!("{:.3}", jiff::Timestamp::now())
}

/// An id that nobody has: the prefix that the contract shows, and 122 random bits.
fn fresh_id(prefix: &str) -> String {
    format!("{prefix}{}", uuid::Uuid::new_v4().simple())
}

/// The page and the items a page that a query means.
pub(crate) fn page_of(page: Option<u32>, per_page: Option<u32>, usual: u32) -> (u32, u32) {
    (page.unwrap_or(1).max(1), per_page.unwrap_or(usual).clamp(1, PER_PAGE_MAX))
}

/// The text that a search looks for.
///
/// The vendor reads a search as a regular expression; here it is a plain text. Clients escape what is special
/// in a regular expression (`\+1555`), so one backslash before a mark is taken away.
pub(crate) fn needle(search: Option<&str>) -> String {
    let mut plain = String::new();
    let mut escaped = false;
    for c in search.unwrap_or_default().trim().chars() {
        if c == '\\' && !escaped {
            escaped = true;
            continue;
        }
        if escaped && c.is_alphanumeric() {
            plain.push('\\');
        }
        escaped = false;
        plain.push(c);
    }
    plain.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_milliseconds_and_a_z() {
        let now = now();
        assert_eq!((now.len(), &now[19..20], &now[23..]), (24, ".", "Z"), "{now}");
    }

    #[test]
    fn a_search_is_plain_text_with_escapes_undone() {
        assert_eq!(needle(Some(r" \+1555 ")), "+1555");
        assert_eq!(needle(Some(r"a\\b")), r"a\b");
        assert_eq!(needle(Some(r"\d")), r"\d");
        assert_eq!(needle(Some("MAIN")), "main");
        assert_eq!(needle(None), "");
    }

    #[test]
    fn a_page_is_within_its_limits() {
        assert_eq!(page_of(None, None, 20), (1, 20));
        assert_eq!(page_of(Some(0), Some(0), 20), (1, 1));
        assert_eq!(page_of(Some(3), Some(1000), 20), (3, 100));
    }

    #[tokio::test]
    async fn a_full_disk_is_told_and_loses_nothing() {
        use crate::api::{Call, CreateNumbers, Handle, ListNumbers, NumbersQuery};

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store.sqlite");
        let store = Store::open(&path).unwrap();
        // A disk of so many pages: SQLite says the same of a full one.
        let limit = |pages: u32| {
            let connection = store.inner.connection.lock().unwrap();
            connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
        };
        limit(60);
        let create = |number: usize| {
            let number = format!("+1555010{number:04}");
            let body =
                serde_json::json!({"name": "n", "phoneNumbers": [number], "inbound": {}, "outbound": {"address": "a"}});
            store.handle(Call::<CreateNumbers>::with_body(serde_json::from_value(body).unwrap()))
        };
        let mut made = 0;
        let refusal = loop {
            match create(made).await {
                Ok(_) => made += 1,
                Err(refusal) => break refusal,
            }
            assert!(made < 2000, "the disk is never full");
        };
        assert!(refusal.status == 507 && refusal.message.contains("no room"), "{refusal:?}");
        // Here and for who opens the file next, all that was acknowledged is there, and nothing else.
        for store in [&store, &Store::open(&path).unwrap()] {
            let list = store.handle(Call::<ListNumbers>::with_query(NumbersQuery::default())).await.unwrap();
            assert_eq!(list.page_info.unwrap().total, made as u64);
            assert_eq!(store.audit().unwrap().iter().filter(|entry| entry.kind == "number").count(), made);
        }
        limit(1000);
        create(made).await.unwrap();
    }
}
