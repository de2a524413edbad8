//! Who may call the served API?

use rand::TryRngCore;
use rand::rngs::OsRng;
use rusqlite::OptionalExtension;

use super::error::{Fault, StoreError};
use super::{Access, Store, Work, fresh_id, now};
use crate::api::{ApiError, KeyRing};
use crate::model::Secret;

/// The bytes of a secret: 256 bits, the size of the hash that HS256 signs with (RFC 7518 section 3.2).
const SECRET_BYTES: usize = 32;

/// The place of a key's secret, as it is sealed.
pub(super) fn place(id: &str) -> String {
    format!("api_key/{id}")
}

/// An API key, as it is listed: without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownKey {
    /// The key.
    pub id: String,
    /// When it was made.
    pub created_at: String,
    /// When it was revoked; none for one that is good.
    pub revoked_at: Option<String>,
}

/// An API key with the secret that its tokens are signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The key, `ak_…`; tokens name it.
    pub id: String,
    /// The secret.
    pub secret: Secret,
}

impl Store {
    /// Makes a key. Blocks on the disk.
    ///
    /// # Errors
    /// When the system gives no random bytes, or the key cannot be written.
    pub fn create_key(&self) -> Result<ApiKey, StoreError> {
        let made = self.administer(Access::Write, |work| {
            let mut bytes = [0_u8; SECRET_BYTES];
            OsRng.try_fill_bytes(&mut bytes).map_err(|why| Fault::NoRandomness(why.to_string()))?;
            let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let key = ApiKey { id: fresh_id("ak_"), secret: Secret::new(text) };
            work.execute(
                "INSERT INTO api_key (id, secret, created_at) VALUES (?1, ?2, ?3)",
                (&key.id, work.vault.seal(&place(&key.id), &key.secret)?, now()),
            )?;
            work.created("api_key", &key.id, &key.id)?;
            Ok(key)
        })?;
        tracing::info!("an API key was made");
        Ok(made)
    }

    /// Every key that was ever made, oldest first. Blocks on the disk.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn keys(&self) -> Result<Vec<KnownKey>, StoreError> {
        self.administer(Access::Read, |work| {
            let mut statement = work.prepare("SELECT id, created_at, revoked_at FROM api_key ORDER BY sequence")?;
            let known = statement.query_map([], |row| {
                Ok(KnownKey { id: row.get(0)?, created_at: row.get(1)?, revoked_at: row.get(2)? })
            })?;
            Ok(known.collect::<Result<_, _>>()?)
        })
    }

    /// Revokes a key: the next request with one of its tokens is refused. `false` for a key that is not known, or was
    /// revoked before. Blocks on the disk.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn revoke_key(&self, id: &str) -> Result<bool, StoreError> {
        let revoked = self.administer(Access::Write, |work| {
            // The secret is forgotten too: no later mistake can make it good again.
            let write = "UPDATE api_key SET revoked_at = ?2, secret = '' WHERE id = ?1 AND revoked_at IS NULL";
            let revoked = work.execute(write, [id, &now()])? == 1;
            if revoked {
                work.deleted("api_key", id, &id)?;
            }
            Ok(revoked)
        })?;
        if revoked {
            tracing::info!(key = id, "an API key was revoked");
        }
        Ok(revoked)
    }

    /// The oldest key that is good, if there is any. Blocks on the disk.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn first_key(&self) -> Result<Option<ApiKey>, StoreError> {
        self.administer(Access::Read, |work| {
            let read = "SELECT id FROM api_key WHERE revoked_at IS NULL ORDER BY sequence LIMIT 1";
            let Some(id) = work.query_row(read, [], |row| row.get::<_, String>(0)).optional()? else { return Ok(None) };
            let secret = secret_of(work, &id)?;
            Ok(secret.map(|secret| ApiKey { id, secret }))
        })
    }

    /// The secret of a key; none for a key that is not known. Blocks on the disk.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn key_secret(&self, id: &str) -> Result<Option<Secret>, StoreError> {
        self.administer(Access::Read, |work| secret_of(work, id))
    }
}

impl KeyRing for Store {
    async fn secret(&self, key: &str) -> Result<Option<Secret>, ApiError> {
        let key = key.to_owned();
        self.read(move |work| secret_of(work, &key)).await
    }
}

/// The secret of a key that is good.
pub(super) fn secret_of(work: &Work<'_>, id: &str) -> Result<Option<Secret>, Fault> {
    let read = "SELECT secret FROM api_key WHERE id = ?1 AND revoked_at IS NULL";
    let sealed: Option<String> = work.prepare_cached(read)?.query_row([id], |row| row.get(0)).optional()?;
    sealed.map(|sealed| work.vault.open(&place(id), &sealed)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_again_and_not_printed() {
        let store = Store::in_memory().unwrap();
        assert_eq!(store.first_key().unwrap(), None);
        let (first, second) = (store.create_key().unwrap(), store.create_key().unwrap());
        assert_ne!(first.secret, second.secret);
        assert_eq!(first.secret.expose().len(), 2 * SECRET_BYTES);
        assert!(!format!("{first:?}").contains(first.secret.expose()));
        assert_eq!(store.key_secret(&second.id).unwrap(), Some(second.secret.clone()));
        assert_eq!(store.key_secret("ak_none").unwrap(), None);
        assert_eq!(store.first_key().unwrap(), Some(first.clone()));
        assert!(store.revoke_key(&first.id).unwrap() && !store.revoke_key(&first.id).unwrap());
        assert!(!store.revoke_key("ak_none").unwrap());
        assert_eq!(store.key_secret(&first.id).unwrap(), None);
        assert_eq!(store.first_key().unwrap().map(|key| key.id), Some(second.id));
        let revoked: Vec<bool> = store.keys().unwrap().iter().map(|key| key.revoked_at.is_some()).collect();
        assert_eq!(revoked, [true, false]);
    }
}
