//! How is a refusal said on the wire?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A refusal with its HTTP status and a sentence for the reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error, JsonSchema)]
#[error("{message}")]
#[serde(rename_all = "camelCase")]
pub struct ApiError {
    /// The HTTP status.
    #[serde(rename = "statusCode")]
    pub status: u16,
    /// What was refused, why, and what to do.
    pub message: String,
}

impl ApiError {
    /// 400: the request cannot be carried out as it stands.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self { status: 400, message: message.into() }
    }

    /// 401: no valid token.
    pub fn unauthenticated(message: impl Into<String>) -> Self {
        Self { status: 401, message: message.into() }
    }

    /// 403: a valid token without the right.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self { status: 403, message: message.into() }
    }

    /// 404: what is named is not there.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self { status: 404, message: message.into() }
    }

    /// 409: another request came first; read again and retry.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self { status: 409, message: message.into() }
    }

    /// 429: too many requests with one key.
    pub fn too_many(message: impl Into<String>) -> Self {
        Self { status: 429, message: message.into() }
    }

    /// 501: it is in the contract, and not in this program; the sentence says what is missing.
    pub fn missing(message: impl Into<String>) -> Self {
        Self { status: 501, message: message.into() }
    }

    /// 500: the fault is on this side.
    pub fn internal(message: impl Into<String>) -> Self {
        Self { status: 500, message: message.into() }
    }

    /// Reads an error body as the known services write it: a bare string, or an object with its text
    /// under `message`, `error`, `msg` or `statusMessage`.
    pub fn read(status: u16, body: &[u8]) -> Self {
        let message = match serde_json::from_slice::<serde_json::Value>(body) {
            Ok(serde_json::Value::String(text)) => Some(text),
            Ok(serde_json::Value::Object(map)) => ["message", "error", "msg", "statusMessage"]
                .iter()
                .find_map(|key| map.get(*key).and_then(|value| value.as_str()).map(str::to_owned)),
            _ => None,
        };
        Self { status, message: message.unwrap_or_else(|| "the answer gives no reason".to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_error_body_is_read() {
        for body in
            [r#""no""#, r#"{"message":"no"}"#, r#"{"error":"no"}"#, r#"{"msg":"no"}"#, r#"{"statusMessage":"no"}"#]
        {
            assert_eq!(ApiError::read(400, body.as_bytes()).message, "no", "{body}");
        }
        assert_eq!(ApiError::read(502, b"<html>").message, "the answer gives no reason");
    }
}
