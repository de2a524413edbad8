//! How is a caller's number hidden?

use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::{E164, Secret};

/// Hex digits of an alias: 64 bits tell the callers of one stack apart.
const ALIAS_DIGITS: usize = 16;

/// The key that callers' numbers are hidden with: one for each stack, kept by whoever runs it.
///
/// There are few enough phone numbers to try them all, so a plain hash would hide nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HidingKey(Secret);

impl HidingKey {
    /// A key, as long as it is random.
    pub fn new(secret: Secret) -> Self {
        Self(secret)
    }

    /// What stands for a number: the same for each of its calls, and not to be turned back without the key
    /// (HMAC-SHA256, RFC 2104).
    pub fn alias(&self, number: E164) -> String {
        // A key may have any length (RFC 2104 section 3), so there is always a code; without one nothing is told.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.0.expose().as_bytes()) else {
            return "hidden".to_owned();
        };
        mac.update(number.to_string().as_bytes());
        let mut hex = format!("{:x}", mac.finalize().into_bytes());
        hex.truncate(ALIAS_DIGITS);
        format!("hidden-{hex}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_is_stable_and_of_its_key() {
        let (one, two) = (HidingKey::new(Secret::new("one")), HidingKey::new(Secret::new("two")));
        let number: E164 = "+14155550100".parse().unwrap();
        assert_eq!(one.alias(number), one.alias(number));
        assert_ne!(one.alias(number), two.alias(number));
        assert_ne!(one.alias(number), one.alias("+14155550101".parse().unwrap()));
        // By OpenSSL: printf +14155550100 | openssl dgst -sha256 -hmac one
        assert_eq!(one.alias(number), "hidden-c05b8dd90da50892");
        assert!(!format!("{one:?}").contains("one\""));
    }
}
