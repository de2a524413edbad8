//! Which tables does the file have, and how does an older file get them?

use std::fs::OpenOptions;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::error::StoreError;

/// The name of a store that has no file, in messages.
pub(super) const IN_MEMORY: &str = ":memory:";

/// Marks the file as ours (`PRAGMA application_id`): the letters `strw`.
const APPLICATION_ID: i64 = 0x7374_7277;

/// How long a transaction waits for another process; longer than any transaction of ours takes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to wait where SQLite does not wait by itself.
const BUSY_PAUSE: Duration = Duration::from_millis(10);

/// The steps from an empty file to the newest schema. `user_version` counts those that were taken.
/// A step that was released is never changed; a new one is added below.
const STEPS: &[&str] = &[
    "
    CREATE TABLE api_key (
        sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
        id         TEXT NOT NULL UNIQUE,
        secret     TEXT NOT NULL,
        created_at TEXT NOT NULL
    ) STRICT;

    CREATE TABLE gateway (
        sequence         INTEGER PRIMARY KEY AUTOINCREMENT,
        id               TEXT NOT NULL UNIQUE,
        direction        TEXT NOT NULL CHECK (direction IN ('inbound', 'outbound')),
        name             TEXT NOT NULL,
        media_encryption TEXT NOT NULL,
        region           TEXT NOT NULL,
        address          TEXT,
        transport        TEXT,
        username         TEXT,
        password         TEXT,
        created_at       TEXT NOT NULL,
        updated_at       TEXT NOT NULL,
        CHECK ((username IS NULL) = (password IS NULL)),
        CHECK ((direction = 'outbound') = (address IS NOT NULL)),
        CHECK ((direction = 'outbound') = (transport IS NOT NULL)),
        CHECK (direction = 'outbound' OR username IS NULL)
    ) STRICT;

    CREATE TABLE number (
        sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
        id         TEXT NOT NULL UNIQUE,
        e164       TEXT NOT NULL UNIQUE,
        name       TEXT NOT NULL,
        inbound    TEXT REFERENCES gateway (id),
        outbound   TEXT REFERENCES gateway (id),
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL
    ) STRICT;
    CREATE INDEX number_inbound ON number (inbound);
    CREATE INDEX number_outbound ON number (outbound);

    CREATE TABLE rule (
        sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
        id         TEXT NOT NULL UNIQUE,
        direction  TEXT NOT NULL CHECK (direction IN ('inbound', 'outbound')),
        name       TEXT NOT NULL,
        body       TEXT NOT NULL,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL
    ) STRICT;

    CREATE TABLE rule_number (
        rule      TEXT NOT NULL REFERENCES rule (id) ON DELETE CASCADE,
        e164      TEXT NOT NULL REFERENCES number (e164) ON DELETE CASCADE,
        direction TEXT NOT NULL,
        position  INTEGER NOT NULL,
        PRIMARY KEY (rule, e164)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX rule_number_e164 ON rule_number (e164);
    -- A number is on one inbound rule at most (contract section 4.1): the requests check it with a better
    -- sentence, this makes sure.
    CREATE UNIQUE INDEX rule_number_inbound ON rule_number (e164) WHERE direction = 'inbound';
",
    "
    -- Rules of different priorities may share a number; -1 stands for a rule without one.
    ALTER TABLE rule_number ADD COLUMN priority INTEGER NOT NULL DEFAULT -1;
    DROP INDEX rule_number_inbound;
    CREATE UNIQUE INDEX rule_number_inbound ON rule_number (e164, priority) WHERE direction = 'inbound';
",
];

/// Opens the file, or makes it.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    own(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| StoreError::of_database(path, error))?;
    prepare(connection, path)
}

/// Makes a database in memory.
pub(super) fn in_memory() -> Result<Connection, StoreError> {
    let path = Path::new(IN_MEMORY);
    let connection = Connection::open_in_memory().map_err(|error| StoreError::of_database(path, error))?;
    prepare(connection, path)
}

/// Makes sure that the file is there and that only its owner may read it: it holds passwords.
/// SQLite gives its side files (`-wal`, `-shm`) the same mode.
fn own(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.create(true).read(true).write(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(|error| StoreError::of_file(path, &error))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = file.metadata().map_err(|error| StoreError::of_file(path, &error))?.permissions().mode();
        if mode & 0o077 != 0 {
            tracing::warn!(path = %path.display(), "others could read the store; it is now its owner's alone");
            file.set_permissions(std::fs::Permissions::from_mode(0o600))
                .map_err(|error| StoreError::of_file(path, &error))?;
        }
    }
    drop(file);
    Ok(())
}

fn prepare(mut connection: Connection, path: &Path) -> Result<Connection, StoreError> {
    let failed = |error| StoreError::of_database(path, error);
    connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    refuse_foreign(&mut connection, path)?;
    log_ahead(&connection).map_err(failed)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(failed)?;
    let health: String = connection.pragma_query_value(None, "quick_check", |row| row.get(0)).map_err(failed)?;
    if health != "ok" {
        return Err(StoreError::Damaged { path: path.to_owned(), why: health });
    }
    migrate(&mut connection, path)?;
    Ok(connection)
}

/// Has commits written to a log first (`journal_mode = WAL`), so that readers and a writer do not wait for
/// each other. SQLite does not wait by itself where two connections ask for it at once.
fn log_ahead(connection: &Connection) -> rusqlite::Result<()> {
    let mut waited = Duration::ZERO;
    loop {
        let done = connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()));
        let busy = |error: &rusqlite::Error| error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy);
        match done {
            Err(error) if busy(&error) && waited < BUSY_TIMEOUT => {
                std::thread::sleep(BUSY_PAUSE);
                waited += BUSY_PAUSE;
            }
            done => return done,
        }
    }
}

/// Refuses a file that is not ours before anything is written to it.
fn refuse_foreign(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |error| StoreError::of_database(path, error);
    // Both from one moment: another process may be making the tables right now.
    let connection = connection.transaction().map_err(failed)?;
    let id: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(failed)?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    if id == APPLICATION_ID || (id == 0 && tables == 0) {
        return Ok(());
    }
    Err(StoreError::Foreign { path: path.to_owned() })
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |error| StoreError::of_database(path, error);
    let known = STEPS.len() as i64;
    // Read under the write lock: two processes may open a fresh file at once.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    if found < known {
        for step in STEPS.iter().skip(usize::try_from(found).unwrap_or(0)) {
            transaction.execute_batch(step).map_err(failed)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
        transaction.pragma_update(None, "user_version", known).map_err(failed)?;
        tracing::info!(path = %path.display(), from = found, to = known, "the store has the newest schema");
    }
    transaction.commit().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_file_is_refused_and_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store.db");
        open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        let why = open(&path).unwrap_err();
        assert!(matches!(why, StoreError::Newer { found: 99, .. }), "{why}");
        assert!(why.to_string().contains("newer strowger"));
    }

    #[test]
    fn what_cannot_be_opened_is_told_apart() {
        let directory = tempfile::tempdir().unwrap();
        let why = open(&directory.path().join("none/store.db")).unwrap_err();
        assert!(matches!(why, StoreError::NoDirectory { .. }) && why.to_string().contains("mkdir -p"), "{why}");

        let noise = directory.path().join("noise.db");
        std::fs::write(&noise, "not a database, whatever the name says".repeat(50)).unwrap();
        assert!(matches!(open(&noise).unwrap_err(), StoreError::Damaged { .. }));

        let foreign = directory.path().join("foreign.db");
        Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
        assert!(matches!(open(&foreign).unwrap_err(), StoreError::Foreign { .. }));

        let why = open(directory.path()).unwrap_err();
        assert!(matches!(why, StoreError::Denied { .. }), "{why}");
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store.db");
        let connection = open(&path).unwrap();
        for name in ["store.db", "store.db-wal"] {
            let mode = std::fs::metadata(directory.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        drop(connection);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        drop(open(&path).unwrap());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
