//! What do the files on disk say at this moment?
//!
//! The one place that reads and writes configurations, and reads the secrets they refer to.

mod calls;
mod read;
mod secret;
mod write;

pub use calls::{CallsError, read_calls};
pub use read::{ENVIRONMENTS, ROOT_FILE, SourceError, SourceSet, Unsaved, read, read_over};
pub use secret::{SecretError, is_exposed, resolve};
pub use write::replace;
