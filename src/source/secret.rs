//! What does a secret reference stand for?

use std::path::Path;

use crate::model::{Secret, SecretRef};

/// Why a secret cannot be had. Says where it was looked for, never what was found.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The environment variable is not set, or is empty.
    #[error("the secret {reference} is not set")]
    NotSet {
        /// The reference.
        reference: SecretRef,
    },
    /// The file cannot be read as text.
    #[error("the secret {reference} cannot be read: {cause}")]
    Unreadable {
        /// The reference.
        reference: SecretRef,
        /// Why.
        cause: String,
    },
}

/// Reads a secret. Relative files start from the configuration's directory.
///
/// # Errors
/// When the variable is not set or empty, or the file cannot be read or is empty.
pub fn resolve(reference: &SecretRef, directory: &Path) -> Result<Secret, SecretError> {
    let text = match reference {
        SecretRef::Env(name) => std::env::var(name).unwrap_or_default(),
        SecretRef::File(path) => std::fs::read_to_string(directory.join(path))
            .map_err(|cause| SecretError::Unreadable { reference: reference.clone(), cause: cause.to_string() })?,
    };
    let text = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    if text.is_empty() {
        return Err(SecretError::NotSet { reference: reference.clone() });
    }
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_loses_only_its_last_line_end() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("pin"), "12\n34\r\n").unwrap();
        let secret = resolve(&SecretRef::File("pin".into()), directory.path()).unwrap();
        assert_eq!(secret.expose(), "12\n34");
        std::fs::write(directory.path().join("pin"), "\n").unwrap();
        assert!(resolve(&SecretRef::File("pin".into()), directory.path()).is_err());
    }
}
