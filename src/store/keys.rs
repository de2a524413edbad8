//! Who may call the served API?

use rand::TryRngCore;
use rand::rngs::OsRng;
use rusqlite::{OptionalExtension, Transaction};

use super::error::{Fault, StoreError};
use super::{Access, Store, fresh_id, now};
use crate::api::{ApiError, KeyRing};
use crate::model::Secret;

/// The bytes of a secret: 256 bits, the size of the hash that HS256 signs with (RFC 7518 section 3.2).
const SECRET_BYTES: usize = 32;

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
        let made = self.administer(Access::Write, |transaction| {
            let mut bytes = [0_u8; SECRET_BYTES];
            OsRng.try_fill_bytes(&mut bytes).map_err(|why| Fault::NoRandomness(why.to_string()))?;
            let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let key = ApiKey { id: fresh_id("ak_"), secret: Secret::new(text) };
            transaction.execute(
                "INSERT INTO api_key (id, secret, created_at) VALUES (?1, ?2, ?3)",
                (&key.id, key.secret.expose(), now()),
            )?;
            Ok(key)
        })?;
        tracing::info!("an API key was made");
        Ok(made)
    }

    /// The oldest key, if there is any. Blocks on the disk.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn first_key(&self) -> Result<Option<ApiKey>, StoreError> {
        self.administer(Access::Read, |transaction| {
            let read = "SELECT id, secret FROM api_key ORDER BY sequence LIMIT 1";
            let key = transaction.query_row(read, [], |row| {
                Ok(ApiKey { id: row.get(0)?, secret: Secret::new(row.get::<_, String>(1)?) })
            });
            Ok(key.optional()?)
        })
    }

    /// The secret of a key; none for a key that is not known. Blocks on the disk.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn key_secret(&self, id: &str) -> Result<Option<Secret>, StoreError> {
        self.administer(Access::Read, |transaction| secret_of(transaction, id))
    }
}

impl KeyRing for Store {
    async fn secret(&self, key: &str) -> Result<Option<Secret>, ApiError> {
        let key = key.to_owned();
        self.read(move |transaction| secret_of(transaction, &key)).await
    }
}

/// The secret of a key.
pub(super) fn secret_of(transaction: &Transaction<'_>, id: &str) -> Result<Option<Secret>, Fault> {
    let read = "SELECT secret FROM api_key WHERE id = ?1";
    Ok(transaction.query_row(read, [id], |row| row.get::<_, String>(0)).optional()?.map(Secret::new))
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
        assert_eq!(store.key_secret(&second.id).unwrap(), Some(second.secret));
        assert_eq!(store.key_secret("ak_none").unwrap(), None);
        assert_eq!(store.first_key().unwrap(), Some(first));
    }
}
