//! How does one sign in?

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::{Deserialize, Deserializer, Serialize};

use super::ClientError;
use crate::model::Secret;

/// How long a token lives; the vendor's SDKs do the same (contract section 1.2).
const LIFE: Duration = Duration::from_secs(24 * 60 * 60);
/// How long before its end a token is replaced, so that none expires on its way (contract section 1.2).
const MARGIN: u64 = 60;

/// An API key and its secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The key, which tokens name.
    pub api_key: String,
    /// The secret, which tokens are signed with.
    pub secret: Secret,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(****)")
    }
}

/// How a client signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// With tokens of its own making.
    Credentials(Credentials),
    /// With a token that somebody made; it is used as it is, until it expires.
    Token(Secret),
}

/// The claims of a token that may manage resources (contract section 1.2).
#[derive(Serialize)]
struct Claims<'a> {
    apikey: &'a str,
    permissions: [&'a str; 2],
    roles: [&'a str; 1],
    version: u8,
    iat: u64,
    exp: u64,
}

/// Makes a token that may manage resources from `now`, in Unix seconds, for as long as `life`.
///
/// # Errors
/// When the token cannot be signed.
pub fn mint(credentials: &Credentials, now: u64, life: Duration) -> Result<Secret, ClientError> {
    let claims = Claims {
        apikey: &credentials.api_key,
        permissions: ["allow_join", "allow_mod"],
        roles: ["crawler"],
        version: 2,
        iat: now,
        exp: now.saturating_add(life.as_secs()),
    };
    let key = EncodingKey::from_secret(credentials.secret.expose().as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key)
        .map(Secret::new)
        .map_err(|why| ClientError::BadToken { why: why.to_string() })
}

/// The token of a client, made when it is needed.
#[derive(Debug, Clone)]
pub(super) struct Tokens {
    auth: Auth,
    /// The last one made, and the second in which it expires.
    last: Arc<Mutex<Option<(Secret, u64)>>>,
}

impl Tokens {
    pub(super) fn new(auth: Auth) -> Self {
        Self { auth, last: Arc::default() }
    }

    /// A token that is valid now and for a while.
    pub(super) fn current(&self, now: u64) -> Result<Secret, ClientError> {
        let credentials = match &self.auth {
            Auth::Token(token) => return Ok(token.clone()),
            Auth::Credentials(credentials) => credentials,
        };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((token, until)) = last.as_ref()
            && now.saturating_add(MARGIN) < *until
            // A clock that was set back would make a token from the future.
            && until.saturating_sub(LIFE.as_secs()) <= now
        {
            return Ok(token.clone());
        }
        let token = mint(credentials, now, LIFE)?;
        *last = Some((token.clone(), now.saturating_add(LIFE.as_secs())));
        Ok(token)
    }
}

/// What a token says of itself. Nothing of it is verified: only who signed it can do that.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct TokenFacts {
    /// When it was issued, in Unix seconds.
    #[serde(deserialize_with = "seconds")]
    pub iat: Option<u64>,
    /// When it expires, in Unix seconds.
    #[serde(deserialize_with = "seconds")]
    pub exp: Option<u64>,
    /// Its roles; none where it does not speak of them.
    pub roles: Option<Vec<String>>,
}

impl TokenFacts {
    /// Reads the claims of a token.
    ///
    /// # Errors
    /// When it is no JWT.
    pub fn read(token: &Secret) -> Result<Self, ClientError> {
        let claims = jsonwebtoken::dangerous::insecure_decode::<Self>(token.expose());
        claims.map(|data| data.claims).map_err(|_| ClientError::BadToken { why: "it is no readable JWT".to_owned() })
    }
}

/// Claims count in seconds, some with a fraction.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(Option::<f64>::deserialize(deserializer)?.map(|seconds| seconds.max(0.0) as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials() -> Credentials {
        Credentials { api_key: "ak".into(), secret: Secret::new("s") }
    }

    #[test]
    fn a_token_is_used_until_a_minute_before_its_end() {
        let tokens = Tokens::new(Auth::Credentials(credentials()));
        let day = LIFE.as_secs();
        let first = tokens.current(1_000).unwrap();
        assert_eq!(tokens.current(1_000 + day - MARGIN - 1).unwrap(), first);
        let second = tokens.current(1_000 + day - MARGIN).unwrap();
        assert_ne!(second, first);
        assert_ne!(tokens.current(500).unwrap(), second);
    }

    #[test]
    fn a_token_says_what_the_sdk_says() {
        let token = mint(&credentials(), 1_000, Duration::from_secs(60)).unwrap();
        let claims: serde_json::Value =
            jsonwebtoken::dangerous::insecure_decode(token.expose()).map(|data| data.claims).unwrap();
        let expected = serde_json::json!({"apikey": "ak", "permissions": ["allow_join", "allow_mod"],
            "roles": ["crawler"], "version": 2, "iat": 1_000, "exp": 1_060});
        assert_eq!(claims, expected);
    }
}
