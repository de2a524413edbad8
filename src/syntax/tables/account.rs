//! `[account]`

use crate::syntax::read::{At, table};
use crate::syntax::value::SecretSource;

table!(
    /// The account that `plan` and `apply` talk to.
    AccountTable {
        /// The base address of the API.
        #[schemars(example = "https://api.videosdk.live")]
        endpoint: At<String>,
        /// The API key.
        api_key: At<SecretSource>,
        /// The secret that tokens are signed with.
        secret: At<SecretSource>,
    }
);
