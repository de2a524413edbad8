//! What do the files on disk say at this moment?
//!
//! The one place that reads configurations and the secrets they refer to.

mod read;
mod secret;

pub use read::{ENVIRONMENTS, ROOT_FILE, SourceError, SourceSet, read};
pub use secret::{SecretError, is_exposed, resolve};
