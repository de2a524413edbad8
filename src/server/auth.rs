//! Whose token is accepted?
//!
//! The checks of contract section 1.2, each with its own sentence. No sentence repeats any part of the token.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::HeaderValue;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, dangerous, decode, decode_header};
use serde::Deserialize;
use serde_json::Value;

use crate::api::{ApiError, KeyRing};

/// How far the clocks of two machines may differ, in seconds.
const LEEWAY: u64 = 60;

/// The role that may manage resources (contract section 1.2).
const MANAGER: &str = "crawler";

/// What is read of a token.
#[derive(Deserialize)]
struct Claims {
    apikey: Option<String>,
    #[serde(default)]
    roles: Value,
    iat: Option<f64>,
}

/// Checks the `Authorization` header of a request, and gives the API key that it was signed for.
pub(super) async fn authenticate<K: KeyRing>(keys: &K, header: Option<&HeaderValue>) -> Result<String, ApiError> {
    let refused = ApiError::unauthenticated;
    let header = header.ok_or_else(|| refused("The Authorization header is missing; send a token in it"))?;
    let text = header.to_str().map_err(|_| refused("The Authorization header has characters that no token has"))?;
    let token = bare(text);
    if token.is_empty() {
        return Err(refused("The Authorization header is empty; send a token in it"));
    }
    // `none` is no algorithm to the library, so such a header does not read at all.
    let head = decode_header(token).map_err(|_| refused("The token is not a readable JWT signed with HS256"))?;
    if head.alg != Algorithm::HS256 {
        return Err(refused("The token is signed with another algorithm than HS256"));
    }
    // Not believed yet: it only says which secret to verify with.
    let claims: Claims =
        dangerous::insecure_decode(token).map_err(|_| refused("The claims of the token are not readable"))?.claims;
    let key = claims.apikey.ok_or_else(|| refused("The token names no API key in its claim apikey"))?;
    let secret = keys
        .secret(&key)
        .await?
        .ok_or_else(|| refused("Invalid API Key: the token names one that is unknown or revoked"))?;
    let verified = decode::<Claims>(token, &DecodingKey::from_secret(secret.expose().as_bytes()), &validation())
        .map_err(|why| refused(sentence(why.kind())))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    if verified.claims.iat.is_some_and(|issued| issued > (now + LEEWAY) as f64) {
        return Err(refused("The token was issued in the future; compare the clocks"));
    }
    manages(&verified.claims.roles)?;
    Ok(key)
}

fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.leeway = LEEWAY;
    validation.validate_nbf = true;
    // The contract knows no audience; a token for several readers may carry one.
    validation.validate_aud = false;
    validation
}

/// The token without the word that some pages put before it.
fn bare(header: &str) -> &str {
    let header = header.trim();
    match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ if header.eq_ignore_ascii_case("bearer") => "",
        _ => header,
    }
}

/// No roles at all, or that of a manager among them.
fn manages(roles: &Value) -> Result<(), ApiError> {
    let manager = |role: &Value| role.as_str().is_some_and(|role| role.eq_ignore_ascii_case(MANAGER));
    let allowed = match roles {
        Value::Null => true,
        Value::Array(roles) => roles.iter().any(manager),
        role => manager(role),
    };
    if allowed {
        return Ok(());
    }
    Err(ApiError::forbidden("The token's roles do not allow managing; it needs the role crawler, or no roles claim"))
}

fn sentence(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidSignature => "The signature of the token does not match the secret of its API key",
        ErrorKind::ExpiredSignature => "The token has expired",
        ErrorKind::ImmatureSignature => "The token is not valid yet",
        ErrorKind::MissingRequiredClaim(_) => "The token has no readable claim exp, so it would never expire",
        ErrorKind::InvalidClaimFormat(_) => "A time claim of the token is not a number of seconds",
        _ => "The token is not valid",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_before_a_token_may_be_there() {
        for header in ["a.b.c", "Bearer a.b.c", "bearer  a.b.c", "BEARER a.b.c"] {
            assert_eq!(bare(header), "a.b.c");
        }
        assert_eq!(bare("Bearer "), "");
    }

    #[test]
    fn roles_are_absent_or_hold_the_manager() {
        let roles = |text: &str| manages(&serde_json::from_str(text).unwrap());
        assert!(roles("null").is_ok() && roles(r#"["rtc","CRAWLER"]"#).is_ok() && roles(r#""crawler""#).is_ok());
        assert_eq!(roles(r#"["rtc"]"#).unwrap_err().status, 403);
        assert_eq!(roles("[]").unwrap_err().status, 403);
    }
}
