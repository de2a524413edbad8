//! Who knows the secrets that tokens are signed with?

use std::future::Future;

use super::ApiError;
use crate::model::Secret;

/// Whatever holds API keys: the server asks it for the secret that a token must be signed with.
pub trait KeyRing {
    /// The secret of an API key; none for a key that is not known.
    fn secret(&self, key: &str) -> impl Future<Output = Result<Option<Secret>, ApiError>> + Send;
}
