//! How are secrets kept in the file?
//!
//! Sealed with AES-256-GCM under keys that are derived from one master key, which lies outside the file: whoever
//! reads the file alone learns no secret. A sealed text belongs to its place (`api_key/ak_…`), so that moving it to
//! another row makes it unreadable.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Prk, Salt};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use serde::Serialize;

use super::error::{Fault, StoreError};
use crate::model::Secret;

/// The name of the key file, beside the store.
const KEY_FILE: &str = "master.key";

/// The bytes of a master key: as many as AES-256 has.
const KEY_BYTES: usize = 32;

/// What sealed texts begin with, so that another way of sealing can be told apart one day.
const VERSION: &str = "v1:";

/// The key that everything secret in a store is sealed with.
#[derive(Clone)]
pub struct MasterKey([u8; KEY_BYTES]);

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(****)")
    }
}

impl MasterKey {
    /// Reads a key from its text: 64 hexadecimal digits. White space around them is ignored.
    pub fn read(text: &Secret) -> Option<Self> {
        unhex(text.expose().trim())?.try_into().ok().map(Self)
    }

    /// A new key.
    pub(super) fn fresh() -> Result<Self, StoreError> {
        let mut bytes = [0; KEY_BYTES];
        SystemRandom::new()
            .fill(&mut bytes)
            .map_err(|_| StoreError::NoRandomness { why: "the system gives none".to_owned() })?;
        Ok(Self(bytes))
    }

    /// Where the key of a store lies.
    pub(super) fn file_of(store: &Path) -> PathBuf {
        store.with_file_name(KEY_FILE)
    }

    /// Reads the key file of a store; none when there is no such file.
    pub(super) fn load(store: &Path) -> Result<Option<Self>, StoreError> {
        let path = Self::file_of(store);
        let text = match fs::read_to_string(&path) {
            Ok(text) => Secret::new(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::BadKey { path, why: error.to_string() }),
        };
        owners_alone(&path)?;
        let why = || "it is not 64 hexadecimal digits".to_owned();
        Self::read(&text).map(Some).ok_or_else(|| StoreError::BadKey { path, why: why() })
    }

    /// Makes a key and its file. Where another process was quicker, the key is that one's.
    pub(super) fn make(store: &Path) -> Result<Self, StoreError> {
        let path = Self::file_of(store);
        let failed = |error: io::Error| StoreError::of_file(&path, &error);
        // Written aside and linked into place, so that nobody ever sees half a key, and none replaces another.
        let aside = path.with_file_name(format!("{KEY_FILE}.{}", uuid::Uuid::new_v4().simple()));
        let mut options = OpenOptions::new();
        options.create_new(true).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let key = Self::fresh()?;
        let written = options.open(&aside).and_then(|mut file| {
            file.write_all(format!("{}\n", hex(&key.0)).as_bytes())?;
            file.sync_all()
        });
        let linked = written.and_then(|()| fs::hard_link(&aside, &path));
        let _ = fs::remove_file(&aside);
        match linked {
            Ok(()) => {
                tracing::info!(path = %path.display(), "a master key was made; without it, the secrets in the store are lost");
                Ok(key)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Self::load(store)?.ok_or(StoreError::NoKey { path })
            }
            Err(error) => Err(failed(error)),
        }
    }
}

#[cfg(unix)]
fn owners_alone(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt;
    let failed = |error: io::Error| StoreError::of_file(path, &error);
    if fs::metadata(path).map_err(failed)?.permissions().mode() & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "others could read the master key; it is now its owner's alone");
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(failed)?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn owners_alone(_: &Path) -> Result<(), StoreError> {
    Ok(())
}

/// Seals and opens.
pub(super) struct Vault {
    sealing: LessSafeKey,
    digests: hmac::Key,
    random: SystemRandom,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(****)")
    }
}

impl Vault {
    pub fn new(key: &MasterKey) -> Result<Self, StoreError> {
        // One key for each purpose (RFC 5869), so that neither use tells anything of the other.
        let root: Prk = Salt::new(HKDF_SHA256, b"strowger").extract(&key.0);
        let failed = |_| StoreError::NoRandomness { why: "the keys cannot be derived".to_owned() };
        let sealing = UnboundKey::from(root.expand(&[b"sealing"], &AES_256_GCM).map_err(failed)?);
        let digests = hmac::Key::from(root.expand(&[b"audit"], hmac::HMAC_SHA256).map_err(failed)?);
        Ok(Self { sealing: LessSafeKey::new(sealing), digests, random: SystemRandom::new() })
    }

    /// Seals a secret for its place.
    pub fn seal(&self, place: &str, secret: &Secret) -> Result<String, Fault> {
        // 96 random bits a time: safe for 2^32 seals under one key (NIST SP 800-38D section 8.3).
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| Fault::NoRandomness("the system gives none".to_owned()))?;
        let mut bytes = secret.expose().as_bytes().to_vec();
        self.sealing
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place.as_bytes()), &mut bytes)
            .map_err(|_| Fault::Damaged(format!("{place} is too long to be sealed")))?;
        Ok(format!("{VERSION}{}{}", hex(&nonce), hex(&bytes)))
    }

    /// Opens what was sealed for a place.
    pub fn open(&self, place: &str, sealed: &str) -> Result<Secret, Fault> {
        self.opened(place, sealed).ok_or_else(|| Fault::Damaged(format!("the secret of {place} cannot be opened")))
    }

    fn opened(&self, place: &str, sealed: &str) -> Option<Secret> {
        let bytes = unhex(sealed.strip_prefix(VERSION)?)?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
        let (nonce, mut sealed) = (Nonce::try_assume_unique_for_key(nonce).ok()?, sealed.to_vec());
        let text = self.sealing.open_in_place(nonce, Aad::from(place.as_bytes()), &mut sealed).ok()?;
        Some(Secret::new(String::from_utf8(text.to_vec()).ok()?))
    }

    /// A digest that tells whether two values are equal, and nothing else to whoever has not the master key: without
    /// a key, a PIN would soon be found by trying.
    pub fn digest(&self, value: &impl Serialize) -> Result<String, Fault> {
        let text = serde_json::to_vec(value).map_err(|why| Fault::Damaged(format!("a value has no digest: {why}")))?;
        Ok(hex(hmac::sign(&self.digests, &text).as_ref()))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect::<Option<_>>()?;
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    Some(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_in_its_place_alone() {
        let vault = Vault::new(&MasterKey::fresh().unwrap()).unwrap();
        let secret = Secret::new("hunter2");
        let (one, two) = (vault.seal("a/1", &secret).unwrap(), vault.seal("a/1", &secret).unwrap());
        assert_ne!(one, two);
        assert_eq!(vault.open("a/1", &one).unwrap(), secret);
        assert!(vault.open("a/2", &one).is_err());
        let mut other = one.clone();
        other.replace_range(40..41, if &one[40..41] == "0" { "1" } else { "0" });
        for broken in [other.as_str(), "", "v1:", "v1:00", "v2:00", "hunter2", &one[..one.len() - 2]] {
            assert!(vault.open("a/1", broken).is_err(), "{broken}");
        }
        let stranger = Vault::new(&MasterKey::fresh().unwrap()).unwrap();
        assert!(stranger.open("a/1", &one).is_err());
        assert_eq!(vault.digest(&"x").unwrap(), vault.digest(&"x").unwrap());
        assert_ne!(vault.digest(&"x").unwrap(), stranger.digest(&"x").unwrap());
    }

    #[test]
    fn a_key_is_sixty_four_digits() {
        let text = "0123456789abcdefABCDEF0123456789".repeat(2);
        assert!(MasterKey::read(&Secret::new(format!(" {text}\n"))).is_some());
        for bad in ["", &text[1..], &text.replace('0', "g"), &text.replace('0', "é")] {
            assert!(MasterKey::read(&Secret::new(bad)).is_none(), "{bad}");
        }
        assert_eq!(format!("{:?}", MasterKey::fresh().unwrap()), "MasterKey(****)");
    }
}
