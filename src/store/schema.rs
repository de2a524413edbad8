//! Which tables does the file have, and how does an older file get them?

use std::fs::OpenOptions;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use super::error::{Fault, StoreError};
use super::vault::{MasterKey, Vault};
use super::{gateways, keys, rules};
use crate::api::RoutingRule;
use crate::model::Secret;

/// The name of a store that has no file, in messages.
pub(super) const IN_MEMORY: &str = ":memory:";

/// Marks the file as ours (`PRAGMA application_id`): the letters `strw`.
const APPLICATION_ID: i64 = 0x7374_7277;

/// How long a transaction waits for another process; longer than any transaction of ours takes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to wait where SQLite does not wait by itself.
const BUSY_PAUSE: Duration = Duration::from_millis(10);

/// One step towards the newest schema.
struct Step {
    tables: &'static str,
    /// What is done to the rows that are there.
    rows: fn(&Transaction<'_>, &Vault) -> Result<(), Fault>,
}

/// The steps from an empty file to the newest schema. `user_version` counts those that were taken.
/// A step that was released is never changed; a new one is added below.
const STEPS: &[Step] = &[
    Step { tables: FIRST, rows: |_, _| Ok(()) },
    Step { tables: PRIORITIES, rows: |_, _| Ok(()) },
    Step { tables: SEALED, rows: seal_everything },
];

const FIRST: &str = "
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
";

/// Rules of different priorities may share a number.
const PRIORITIES: &str = "
    -- -1 stands for a rule without a priority.
    ALTER TABLE rule_number ADD COLUMN priority INTEGER NOT NULL DEFAULT -1;
    DROP INDEX rule_number_inbound;
    CREATE UNIQUE INDEX rule_number_inbound ON rule_number (e164, priority) WHERE direction = 'inbound';
";

/// Secrets are sealed, changes are remembered, keys may be revoked, and there are rooms, webhooks and older gateways.
const SEALED: &str = "
    -- One row: a text that only the right master key opens.
    CREATE TABLE key_check (
        sealed TEXT NOT NULL
    ) STRICT;

    ALTER TABLE api_key ADD COLUMN revoked_at TEXT;
    -- What the older paths know of a gateway, as JSON; none for one that they never touched.
    ALTER TABLE gateway ADD COLUMN settings TEXT;

    CREATE TABLE audit (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        at       TEXT NOT NULL,
        who      TEXT NOT NULL,
        deed     TEXT NOT NULL CHECK (deed IN ('create', 'update', 'delete')),
        kind     TEXT NOT NULL,
        object   TEXT NOT NULL,
        before   TEXT,
        after    TEXT
    ) STRICT;

    CREATE TABLE webhook (
        sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
        id         TEXT NOT NULL UNIQUE,
        url        TEXT NOT NULL,
        events     TEXT NOT NULL,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL
    ) STRICT;

    CREATE TABLE room (
        sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
        id         TEXT NOT NULL UNIQUE,
        custom_id  TEXT UNIQUE,
        key        TEXT,
        disabled   INTEGER NOT NULL,
        settings   TEXT NOT NULL,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL
    ) STRICT;
";

/// The place of the text by which the master key is known again, and the text.
const KEY_CHECK: (&str, &str) = ("key_check", "strowger");

/// Opens the file, or makes it, with the key given or with the one beside it.
pub(super) fn open(path: &Path, key: Option<MasterKey>) -> Result<(Connection, Vault), StoreError> {
    own(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| StoreError::of_database(path, error))?;
    prepare(connection, path, |connection| match key {
        Some(key) => Ok(key),
        None => match MasterKey::load(path)? {
            Some(key) => Ok(key),
            // A new key would open nothing of what is there.
            None if is_sealed(connection, path)? => Err(StoreError::NoKey { path: MasterKey::file_of(path) }),
            None => MasterKey::make(path),
        },
    })
}

/// Makes a database in memory.
pub(super) fn in_memory() -> Result<(Connection, Vault), StoreError> {
    let path = Path::new(IN_MEMORY);
    let connection = Connection::open_in_memory().map_err(|error| StoreError::of_database(path, error))?;
    prepare(connection, path, |_| MasterKey::fresh())
}

/// Whether the file holds secrets that were sealed.
fn is_sealed(connection: &Connection, path: &Path) -> Result<bool, StoreError> {
    let read = "SELECT count(*) FROM sqlite_schema WHERE name = 'key_check'";
    let tables: i64 =
        connection.query_row(read, [], |row| row.get(0)).map_err(|error| StoreError::of_database(path, error))?;
    Ok(tables > 0)
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

fn prepare(
    mut connection: Connection,
    path: &Path,
    key: impl FnOnce(&Connection) -> Result<MasterKey, StoreError>,
) -> Result<(Connection, Vault), StoreError> {
    let failed = |error| StoreError::of_database(path, error);
    connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    refuse_foreign(&mut connection, path)?;
    log_ahead(&connection).map_err(failed)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(failed)?;
    // What is deleted is overwritten: a secret that was replaced is not to be found in the file.
    connection.pragma_update_and_check(None, "secure_delete", true, |_| Ok(())).map_err(failed)?;
    let health: String = connection.pragma_query_value(None, "quick_check", |row| row.get(0)).map_err(failed)?;
    if health != "ok" {
        return Err(StoreError::Damaged { path: path.to_owned(), why: health });
    }
    let vault = Vault::new(&key(&connection)?)?;
    migrate(&mut connection, path, &vault)?;
    Ok((connection, vault))
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

fn migrate(connection: &mut Connection, path: &Path, vault: &Vault) -> Result<(), StoreError> {
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
            transaction.execute_batch(step.tables).map_err(failed)?;
            (step.rows)(&transaction, vault).map_err(|fault| fault.for_operator(path))?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
        transaction.pragma_update(None, "user_version", known).map_err(failed)?;
        tracing::info!(path = %path.display(), from = found, to = known, "the store has the newest schema");
    }
    let check: String = transaction.query_row("SELECT sealed FROM key_check", [], |row| row.get(0)).map_err(failed)?;
    if !vault.open(KEY_CHECK.0, &check).is_ok_and(|text| text.expose() == KEY_CHECK.1) {
        return Err(StoreError::WrongKey { path: path.to_owned() });
    }
    transaction.commit().map_err(failed)?;
    if (1..known).contains(&found) {
        // What stood in clear is in the log too, until the log is emptied.
        connection.pragma_update_and_check(None, "wal_checkpoint", "TRUNCATE", |_| Ok(())).map_err(failed)?;
    }
    Ok(())
}

/// Seals what an older version kept in clear, and the text by which the key is known again.
fn seal_everything(transaction: &Transaction<'_>, vault: &Vault) -> Result<(), Fault> {
    let sealed = vault.seal(KEY_CHECK.0, &Secret::new(KEY_CHECK.1))?;
    transaction.execute("INSERT INTO key_check (sealed) VALUES (?1)", [sealed])?;
    let rows = |read: &str| -> Result<Vec<(String, String)>, Fault> {
        let mut statement = transaction.prepare(read)?;
        Ok(statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?)
    };
    for (id, secret) in rows("SELECT id, secret FROM api_key")? {
        let sealed = vault.seal(&keys::place(&id), &Secret::new(secret))?;
        transaction.execute("UPDATE api_key SET secret = ?2 WHERE id = ?1", (id, sealed))?;
    }
    for (id, password) in rows("SELECT id, password FROM gateway WHERE password IS NOT NULL")? {
        let sealed = vault.seal(&gateways::place(&id), &Secret::new(password))?;
        transaction.execute("UPDATE gateway SET password = ?2 WHERE id = ?1", (id, sealed))?;
    }
    for (id, body) in rows("SELECT id, body FROM rule")? {
        // A rule that cannot be read is left as it is: the store never understood it, and never will.
        let Ok(mut rule) = serde_json::from_str::<RoutingRule>(&body) else { continue };
        rules::seal_pin(&mut rule, &id, vault)?;
        let body =
            serde_json::to_string(&rule).map_err(|why| Fault::Damaged(format!("a rule cannot be written: {why}")))?;
        transaction.execute("UPDATE rule SET body = ?2 WHERE id = ?1", (id, body))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_file_is_refused_and_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store.db");
        open(&path, None).unwrap().0.pragma_update(None, "user_version", 99).unwrap();
        let why = open(&path, None).unwrap_err();
        assert!(matches!(why, StoreError::Newer { found: 99, .. }), "{why}");
        assert!(why.to_string().contains("newer strowger"));
    }

    #[test]
    fn what_cannot_be_opened_is_told_apart() {
        let directory = tempfile::tempdir().unwrap();
        let why = open(&directory.path().join("none/store.db"), None).unwrap_err();
        assert!(matches!(why, StoreError::NoDirectory { .. }) && why.to_string().contains("mkdir -p"), "{why}");

        let noise = directory.path().join("noise.db");
        std::fs::write(&noise, "not a database, whatever the name says".repeat(50)).unwrap();
        assert!(matches!(open(&noise, None).unwrap_err(), StoreError::Damaged { .. }));

        let foreign = directory.path().join("foreign.db");
        Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
        assert!(matches!(open(&foreign, None).unwrap_err(), StoreError::Foreign { .. }));

        let why = open(directory.path(), None).unwrap_err();
        assert!(matches!(why, StoreError::Denied { .. }), "{why}");
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store.db");
        let connection = open(&path, None).unwrap();
        for name in ["store.db", "store.db-wal"] {
            let mode = std::fs::metadata(directory.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        drop(connection);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        drop(open(&path, None).unwrap());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
