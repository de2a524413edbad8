//! `[stack]`

use crate::model::Unmanaged;
use crate::syntax::read::{At, table};

table!(
    /// What this configuration is, and which files belong to it.
    StackTable {
        /// The name under which this configuration owns what it creates: a lower-case letter, then up to 31
        /// lower-case letters, digits or `-`. Changing it gives up everything that was created under the old name.
        #[schemars(regex(pattern = r"^[a-z][a-z0-9-]{0,31}$"), example = "acme-voice")]
        name: At<String>,
        /// More files, relative to this one: paths or globs such as `rules/*.toml`.
        include: Option<At<Vec<At<String>>>>,
        /// What is said of live objects that no table describes. Without it they are counted.
        unmanaged: Option<At<Unmanaged>>,
    }
);
