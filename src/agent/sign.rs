//! Who says that the upgrade comes from us?
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::hmac;

use crate::model::Secret;

/// The header that bots written for Twilio check.
pub const TWILIO_SIGNATURE: &str = "x-twilio-signature";

/// The header with the time of signing, in seconds since 1970, and a signature over it and the URL.
pub const SIGNATURE: &str = "x-strowger-signature";

/// Twilio's signature of a WebSocket upgrade: HMAC-SHA1 over the URL exactly as it is configured.
///
/// SHA-1 is there for compatibility only; [`signature`] is the one to check in new bots.
pub fn twilio_signature(secret: &Secret, url: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.expose().as_bytes());
    BASE64.encode(hmac::sign(&key, url.as_bytes()))
}

/// `t=SECONDS,v1=HEX`: HMAC-SHA256 over `SECONDS.URL`. A receiver refuses times that are minutes old.
pub fn signature(secret: &Secret, url: &str, seconds: i64) -> String {
    format!("t={seconds},v1={}", hex_hmac(secret, &format!("{seconds}.{url}")))
}

/// HMAC-SHA256 in hex.
pub fn hex_hmac(secret: &Secret, text: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    hmac::sign(&key, text.as_bytes()).as_ref().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_an_independent_implementation() {
        // Made with Python's hmac and hashlib.
        let secret = Secret::new("12345");
        assert_eq!(twilio_signature(&secret, "wss://example.com/stream"), "KG4JbhDlv15BMlxSTOWKt9btbgg=");
        assert_eq!(
            signature(&secret, "wss://example.com/stream", 1_700_000_000),
            "t=1700000000,v1=563fb98cf822cba131b131f71182fb4ea97585864b74ec403d27fbc47d42f301"
        );
    }
}
