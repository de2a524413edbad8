//! Who changed what, and when?
//!
//! An entry stands in the same transaction as the change that it tells of: neither is ever there without the other.
//! A transaction that changes something without an entry is rolled back.

use rusqlite::Row;
use serde::Serialize;

use super::error::{Fault, StoreError};
use super::{Access, Store, Work, now};
use crate::api::Caller;

/// What was done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    Create,
    Update,
    Delete,
}

impl Deed {
    fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// One change, as it is remembered. Secrets are never in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: String,
    /// The API key of the caller, or `operator` for the files and the command line.
    pub who: String,
    /// `create`, `update` or `delete`.
    pub deed: String,
    /// What kind of object: `number`, `gateway`, `rule`, `room`, `webhook` or `api_key`.
    pub kind: String,
    /// Its id.
    pub object: String,
    /// A keyed digest of it before; none for what was created. Equal digests mean equal objects.
    pub before: Option<String>,
    /// A keyed digest of it afterwards; none for what was deleted.
    pub after: Option<String>,
}

impl Work<'_> {
    /// Writes the entry of a change.
    pub fn audit<B: Serialize, A: Serialize>(
        &self,
        kind: &str,
        object: &str,
        before: Option<&B>,
        after: Option<&A>,
    ) -> Result<(), Fault> {
        let deed = match (before.is_some(), after.is_some()) {
            (false, _) => Deed::Create,
            (true, true) => Deed::Update,
            (true, false) => Deed::Delete,
        };
        let who = match &self.by {
            Caller::Operator => "operator",
            Caller::Key(key) => key,
        };
        let before = before.map(|value| self.vault.digest(value)).transpose()?;
        let after = after.map(|value| self.vault.digest(value)).transpose()?;
        self.prepare_cached(
            "INSERT INTO audit (at, who, deed, kind, object, before, after) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute((now(), who, deed.as_str(), kind, object, before, after))?;
        self.audited.set(true);
        Ok(())
    }

    /// Writes the entry of a creation.
    pub fn created<T: Serialize>(&self, kind: &str, object: &str, after: &T) -> Result<(), Fault> {
        self.audit(kind, object, None::<&T>, Some(after))
    }

    /// Writes the entry of a deletion.
    pub fn deleted<T: Serialize>(&self, kind: &str, object: &str, before: &T) -> Result<(), Fault> {
        self.audit(kind, object, Some(before), None::<&T>)
    }
}

impl Store {
    /// Every change that was made, oldest first. Blocks on the disk.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn audit(&self) -> Result<Vec<AuditEntry>, StoreError> {
        let entry = |row: &Row<'_>| {
            Ok(AuditEntry {
                at: row.get(0)?,
                who: row.get(1)?,
                deed: row.get(2)?,
                kind: row.get(3)?,
                object: row.get(4)?,
                before: row.get(5)?,
                after: row.get(6)?,
            })
        };
        self.administer(Access::Read, |work| {
            let read = "SELECT at, who, deed, kind, object, before, after FROM audit ORDER BY sequence";
            let mut statement = work.prepare(read)?;
            Ok(statement.query_map([], entry)?.collect::<Result<_, _>>()?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_without_an_entry_does_not_happen() {
        let store = Store::in_memory().unwrap();
        let change = "INSERT INTO number (id, e164, name, created_at, updated_at) VALUES ('pn', '+1', 'n', '', '')";
        let why = store.administer(Access::Write, |work| Ok(work.execute(change, [])?)).unwrap_err();
        assert!(why.to_string().contains("audit"), "{why}");
        let told = store.administer(Access::Write, |work| {
            work.execute(change, [])?;
            work.created("number", "pn", &"it")
        });
        told.unwrap();
        let entries = store.audit().unwrap();
        assert_eq!((entries.len(), entries[0].who.as_str(), entries[0].deed.as_str()), (1, "operator", "create"));
        assert!(entries[0].before.is_none() && entries[0].after.as_ref().is_some_and(|digest| digest.len() == 64));
    }
}
